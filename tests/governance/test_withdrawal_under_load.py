"""While real servers answer from a warm cache, no request that starts after a withdrawal returns the practice."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

import pytest

from ethics.consent import consent_withdraw
from ethics.models import WithdrawalCase
from ethics.policy import Audience
from genomepath.withdrawal_processing import withdrawals_process
from neurobotanica.serving_bench import granian_server
from tests.governance.test_withdrawal import Served, serve_on_consent

CONNECTIONS = 16
WARM_REQUESTS = 100
PATIENCE_SECONDS = 300.0
PURGE_SECONDS = 60.0


@dataclass
class Load:
    """Concurrent clients on kept-alive connections. Every request notes when it started and what it was answered."""

    port: int
    key: str
    served: Served
    asked: list[tuple[float, str, int, bytes]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def own_path(self) -> str:
        """The practice's own answer."""
        return f"/api/v1/predictions/practices/{self.served.practice.slug}/targets/"

    @property
    def paths(self) -> list[str]:
        """Its own answer, that of a target it was predicted for, and the list."""
        of_target = f"/api/v1/predictions/targets/{self.served.target.symbol}/practices/"
        return [self.own_path, of_target, "/api/v1/practices/"]

    def run(self) -> None:
        """Ask until told to stop."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            for path in cycle(self.paths):
                if self.stop.is_set():
                    return
                started = time.monotonic()
                connection.request("GET", path, headers={"Authorization": f"Api-Key {self.key}"})
                answer = connection.getresponse()
                self.asked.append((started, path, answer.status, answer.read()))
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(error)
        finally:
            connection.close()

    def wait_for(self, requests: int, since: float = 0.0) -> None:
        """Wait until so many requests that started after ``since`` were answered."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sum(started > since for started, *_ in list(self.asked)) < requests:
            assert time.monotonic() < deadline
            assert self.errors == []
            time.sleep(0.05)

    def shows(self, path: str, status: int, body: bytes) -> bool:
        """Whether an answer returns the practice. Its own 404 repeats the name that was asked for."""
        practice = self.served.practice
        if practice.title.encode() in body:
            return True
        return status == 200 if path == self.own_path else practice.slug.encode() in body


@pytest.fixture
def load(committed_database, django_db_blocker, make_api_client) -> Iterator[Load]:
    environment = {"DATABASE_URL": committed_database.url, "API_REQUESTS_PER_MINUTE": "1000000"}
    with django_db_blocker.unblock():
        served = serve_on_consent()
        key = make_api_client(Audience.RESEARCH).key
        with granian_server(
            "neurobotanica.wsgi:application", ready_path="/healthz", workers=2, environment=environment
        ) as (port, _):
            running = Load(port, key, served)
            threads = [threading.Thread(target=running.run) for _ in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            try:
                yield running
            finally:
                running.stop.set()
                for thread in threads:
                    thread.join()


@pytest.mark.parametrize("requests", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_request_that_starts_after_the_withdrawal_returns_the_practice(requests: int, load: Load) -> None:
    load.wait_for(WARM_REQUESTS)
    before = load.asked[:WARM_REQUESTS]
    consent_withdraw(consent=load.served.consent, reason="the community decided so")
    committed = time.monotonic()
    withdrawals_process()
    assert time.monotonic() - committed < PURGE_SECONDS
    load.wait_for(requests, since=committed)
    load.stop.set()

    after = [answer for answer in load.asked if answer[0] > committed]
    assert all(load.shows(*answer[1:]) for answer in before), "the cache was warm with it"
    assert len(after) >= requests
    assert {answer[2] for answer in after} == {200, 404}
    assert sum(load.shows(*answer[1:]) for answer in after) == 0
    (receipt,) = WithdrawalCase.objects.get().receipts.all()
    done = {step["what"] for step in json.loads(receipt.document)["finished"]}
    assert {"answers.purged", "predictions.deleted", "model.marked", "retraining.requested"} <= done
