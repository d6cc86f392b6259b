"""What the API does while a service is away or files are damaged, with real processes: `docs/api.md` says the same.

The web process is never restarted: it recovers by itself, and no good answer is missing in the audit log.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from correlations.models import Practice
from ethics.policy import SacredStatus
from ethics.stewardship import item_set_status
from tests.genomepath.own_site import PER_MINUTE, OwnServices, OwnSite, Reply, own_services, own_site
from tests.genomepath.test_api_texts import BATCH, DESCRIPTIONS, GENE, KNOWN, TEXTS

PATIENCE_SECONDS = 15.0


@pytest.fixture(scope="module")
def services(trained_model, django_db_blocker) -> Iterator[OwnServices]:
    with django_db_blocker.unblock(), own_services(trained_model) as made:
        yield made


@pytest.fixture
def site(services) -> Iterator[OwnSite]:
    with own_site(services) as running:
        yield running
    services.ensure()


def eventually(ask: Callable[[], Reply], is_reached: Callable[[Reply], bool]) -> Reply:
    """The first reply that fits; fails where none comes in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_reached(reply := ask()):
        assert time.monotonic() < deadline, (reply.status, reply.headers, reply.body[:500])
        time.sleep(0.05)
    return reply


def assert_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.content["status"] == 503


def assert_recorded(site: OwnSite) -> None:
    """No good answer is missing in the audit log."""
    assert site.answered
    assert site.unrecorded() == set()


def asked_throughout(site: OwnSite, fault: Callable[[], None]) -> list[Reply]:
    """The replies to predictions asked without a pause by four callers before, while and after the fault happens."""
    replies: list[Reply] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            replies.append(site.ask(site.prediction))

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        time.sleep(0.3)
        fault()
        time.sleep(1.5)
    finally:
        ended.set()
        for caller in callers:
            caller.join()
    return replies


def send_valkey(services: OwnServices, number: signal.Signals) -> None:
    pid = services.valkey.recorded_pid()
    assert pid is not None
    os.kill(pid, number)


def kill_valkey(services: OwnServices) -> None:
    send_valkey(services, signal.SIGKILL)


def minute_limit(reply: Reply) -> int:
    return int(reply.headers["ratelimit-policy"].split('"minute";q=')[1].split(";")[0])


def test_without_valkey_answers_are_good_and_recorded_under_a_tenth_of_the_limit(site, services):
    before = site.ask(site.prediction)
    replies = asked_throughout(site, lambda: kill_valkey(services))
    assert {reply.status for reply in replies} == {200}
    assert {reply.body for reply in replies} == {before.body}
    assert (minute_limit(before), minute_limit(site.ask(site.prediction))) == (PER_MINUTE, PER_MINUTE // 10)
    assert site.ask("/readyz").status == 503
    assert_recorded(site)


def test_valkey_that_comes_back_counts_again_without_a_restart_of_the_site(site, services):
    kill_valkey(services)
    site.ask(site.prediction)
    services.ensure()
    eventually(lambda: site.ask(site.prediction), lambda reply: minute_limit(reply) == PER_MINUTE)
    assert site.ask("/readyz").status == 200
    assert_recorded(site)


def test_a_valkey_that_hangs_holds_an_answer_up_for_less_than_a_second(site, services):
    site.ask(site.prediction)
    send_valkey(services, signal.SIGSTOP)
    try:
        for _ in range(20):
            started = time.monotonic()
            assert site.ask(site.prediction).status == 200
            assert time.monotonic() - started < 1.0
    finally:
        send_valkey(services, signal.SIGCONT)
    eventually(lambda: site.ask(site.prediction), lambda reply: minute_limit(reply) == PER_MINUTE)
    assert_recorded(site)


def test_without_valkey_a_repeated_batch_counts_as_a_first_one(site, services):
    body = {"questions": [{"practice": services.practice}]}
    key = {"Idempotency-Key": "fault-batch-1"}
    site.ask(BATCH, body, **key)
    assert site.ask(BATCH, body, **key).headers["idempotency-replayed"] == "true"
    kill_valkey(services)
    repeated = site.ask(BATCH, body, **key)
    assert (repeated.status, "idempotency-replayed" in repeated.headers) == (200, False)


def test_without_the_database_nothing_is_answered(site, services):
    site.ask(site.prediction)
    services.postgres.stop()
    for path in (site.prediction, "/api/v1/targets/", "/api/v1/model/", "/api/v1/usage/"):
        assert_unavailable(site.ask(path))
    for path, body in ((BATCH, {"questions": [{"practice": services.practice}]}), (TEXTS, {"text": KNOWN})):
        assert_unavailable(site.ask(path, body))
    assert_unavailable(site.ask(site.prediction, Authorization="Api-Key abcdefgh.unknown"))
    assert (site.ask("/readyz").status, site.ask("/healthz").status) == (503, 200)


def test_a_restart_of_the_database_costs_503s_and_no_restart_of_the_site(site, services):
    def restart() -> None:
        services.postgres.stop()
        services.ensure()

    replies = asked_throughout(site, restart)
    assert {reply.status for reply in replies} == {200, 503}
    for reply in replies:
        if reply.status == 503:
            assert_unavailable(reply)
    assert eventually(lambda: site.ask(site.prediction), lambda reply: reply.status == 200)
    assert_recorded(site)


REFUSE = """
CREATE FUNCTION synthetic_fault() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'synthetic' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER synthetic_fault BEFORE INSERT ON ethics_auditevent EXECUTE FUNCTION synthetic_fault()
"""


def test_while_the_log_takes_no_event_nothing_is_answered_not_even_from_the_cache(site, services):
    explanation = f"{site.prediction}{services.target}/explanation/"
    paths = [
        site.prediction, f"/api/v1/predictions/targets/{services.target}/practices/", explanation, "/api/v1/practices/",
        "/api/v1/targets/", "/api/v1/correlations/", "/api/v1/evidence/", "/api/v1/synergies/", "/api/v1/dosage-profiles/",
        "/api/v1/model/", f"/api/v1/communities/{services.community}/attribution/", "/api/v1/usage/",
    ]  # fmt: skip
    asked: list[tuple[str, Any]] = [(path, None) for path in paths]
    asked += [(BATCH, {"questions": [{"practice": services.practice}]}), (TEXTS, {"text": KNOWN}), (DESCRIPTIONS, GENE)]
    assert {site.ask(*question).status for question in asked} == {200}
    with psycopg.connect(services.urls.database_owner_url, autocommit=True) as owner:
        owner.execute(REFUSE)
        try:
            for question in asked:
                assert_unavailable(site.ask(*question))
            assert_unavailable(site.ask("/api/v1/predictions/practices/no-such-practice/targets/"))
        finally:
            owner.execute("DROP FUNCTION synthetic_fault() CASCADE")
    assert {site.ask(*question).status for question in asked} == {200}
    assert_recorded(site)


@pytest.fixture
def hurried_site(services) -> Iterator[OwnSite]:
    """A site that waits for half a second, so that the test need not wait longer."""
    limits = {"DATABASE_STATEMENT_TIMEOUT_SECONDS": "0.5", "DATABASE_LOCK_TIMEOUT_SECONDS": "0.3"}
    with own_site(services, DATABASE_CONNECT_TIMEOUT_SECONDS="2", **limits) as running:
        eventually(lambda: running.ask(running.prediction), lambda reply: reply.status == 200)
        yield running


SLOW = REFUSE.replace("RAISE EXCEPTION 'synthetic' USING ERRCODE = 'disk_full'", "PERFORM pg_sleep(60); RETURN NEW")


def test_what_waits_for_a_lock_or_takes_too_long_is_ended_and_answered_as_unavailable(hurried_site, services):
    texts = (TEXTS, {"text": KNOWN})
    with psycopg.connect(services.urls.database_owner_url) as owner:
        owner.execute("LOCK TABLE ethics_auditevent IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        for question in ((hurried_site.prediction,), ("/api/v1/targets/",), texts):
            assert_unavailable(hurried_site.ask(*question))
        assert time.monotonic() - started < PATIENCE_SECONDS
        owner.rollback()
        assert hurried_site.ask(hurried_site.prediction).status == 200
        owner.execute(SLOW)
        owner.commit()
        try:
            assert_unavailable(hurried_site.ask(hurried_site.prediction))
        finally:
            owner.execute("DROP FUNCTION synthetic_fault() CASCADE")
            owner.commit()
    assert hurried_site.ask(hurried_site.prediction).status == 200
    assert_recorded(hurried_site)


def server_and_sessions(services: OwnServices) -> list[int]:
    """The database server and every session of the site."""
    with psycopg.connect(services.urls.database_owner_url) as owner:
        sessions = owner.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'neurobotanica'").fetchall()
    server = services.postgres.postmaster()
    assert sessions and server is not None
    return [server.pid, *(pid for (pid,) in sessions)]


def test_a_database_that_hangs_holds_no_request_for_ever(hurried_site, services):
    pids = server_and_sessions(services)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(2):  # over a session that was open, and over none
            started = time.monotonic()
            assert_unavailable(hurried_site.ask(hurried_site.prediction))
            assert time.monotonic() - started < PATIENCE_SECONDS
        assert hurried_site.ask("/healthz").status == 200
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    eventually(lambda: hurried_site.ask(hurried_site.prediction), lambda reply: reply.status == 200)
    assert_recorded(hurried_site)


def test_without_any_worker_predictions_are_answered_and_a_protection_counts_at_once(site, services):
    with services.as_django():
        practice = Practice.objects.select_related("item").order_by("id")[1]
        address = f"/api/v1/predictions/practices/{practice.slug}/targets/"
        assert site.ask(address).status == 200
        item_set_status(item=practice.item, status=SacredStatus.SACRED)
    refused = site.ask(address)
    absent = site.ask("/api/v1/predictions/practices/no-such-practice/targets/")
    assert (refused.status, refused.body) == (404, absent.body)
    assert site.ask(site.prediction).status == 200
    assert_recorded(site)


@pytest.fixture
def damaged(services) -> Iterator[Callable[[], None]]:
    """The model's folder with every ONNX file cut short, before the site starts; gives what repairs it."""
    (folder,) = (path for path in (services.artefacts / "models").iterdir() if path.is_dir())
    whole = folder.with_name("whole")
    shutil.copytree(folder, whole)
    for path in folder.rglob("*.onnx"):
        path.write_bytes(path.read_bytes()[:1000])

    def repair() -> None:
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)

    yield repair
    repair()
    shutil.rmtree(whole)


def test_with_a_damaged_model_folder_texts_wait_until_it_is_whole_and_the_rest_is_answered(damaged, site, services):
    for path, body in ((TEXTS, {"text": KNOWN}), (DESCRIPTIONS, GENE)):
        assert_unavailable(site.ask(path, body))
    assert site.ask(site.prediction).status == 200
    mixed = site.ask(BATCH, {"questions": [{"text": KNOWN}, {"practice": services.practice}]})
    assert [result["status"] for result in mixed.content["results"]] == [503, 200]
    damaged()
    for path, body in ((TEXTS, {"text": KNOWN}), (DESCRIPTIONS, GENE)):
        assert site.ask(path, body).status == 200
    assert_recorded(site)
