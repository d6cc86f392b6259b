"""While several server processes answer with verified keys in their memory, no request that starts after a revocation
succeeds."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field

import pytest

from ethics.clients import api_key_create, api_key_revoke, client_create
from ethics.policy import Audience
from neurobotanica.serving_bench import granian_server

WORKERS = 2
CONNECTIONS = 6


@dataclass
class Asking:
    """Requests with one key on several kept-alive connections: when each started and what it was answered."""

    port: int
    key: str
    asked: list[tuple[float, int]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while not self.stop.is_set():
                started = time.monotonic()
                connection.request("GET", "/api/v1/targets/", headers={"Authorization": f"Api-Key {self.key}"})
                answer = connection.getresponse()
                answer.read()
                self.asked.append((started, answer.status))
        except Exception as error:  # noqa: BLE001  the test fails on it
            self.errors.append(error)
        finally:
            connection.close()

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 120
        while len(self.asked) < count and not self.errors and time.monotonic() < deadline:
            time.sleep(0.01)


def _answers_after_revocation(port: int, after: int) -> tuple[list[int], list[int]]:
    """The statuses before the revocation, and of at least ``after`` requests that started behind its commit."""
    client = client_create(organisation=f"Race {time.monotonic()}", audience=Audience.RESEARCH)
    key, text = api_key_create(client=client, name="race", requests_per_minute=10**6)
    asking = Asking(port, text)
    threads = [threading.Thread(target=asking.run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    asking.wait_for(CONNECTIONS * 3)
    api_key_revoke(key=key)
    committed = time.monotonic()
    asking.wait_for(len(asking.asked) + after)
    asking.stop.set()
    for thread in threads:
        thread.join()
    assert asking.errors == []
    before = [status for started, status in asking.asked if started < committed]
    return before, [status for started, status in asking.asked if started >= committed]


@pytest.mark.parametrize(
    ("rounds", "after"), [(3, 60), pytest.param(20, 500, marks=pytest.mark.slow)], ids=["few", "ten thousand"]
)
def test_no_request_started_after_a_revocation_succeeds(
    committed_database, monkeypatch, django_db_blocker, rounds: int, after: int
):
    monkeypatch.setenv("DATABASE_URL", committed_database.url)
    monkeypatch.setenv("API_REQUESTS_PER_MINUTE", str(10**6))
    with (
        django_db_blocker.unblock(),
        granian_server("neurobotanica.wsgi:application", ready_path="/healthz", workers=WORKERS, environment={}) as (
            port,
            _,
        ),
    ):
        for _ in range(rounds):
            before, behind = _answers_after_revocation(port, after)
            assert before.count(200) >= CONNECTIONS
            assert len(behind) >= after
            assert set(behind) <= {401, 429}
