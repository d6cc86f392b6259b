"""What a verification says and keeps of a log that is right."""

from __future__ import annotations

import json
import threading
from io import StringIO
from itertools import count

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ethics.audit.sealing import seal_round
from ethics.audit.shredding import identity_shred, reason_shred
from ethics.audit.verification import audit_log_verify, inspect_log
from ethics.models import AuditEvent, AuditIdentity, AuditVerification
from ethics.tasks import verify_audit
from tests.ethics.audit.sealed_log import SealedLog, record_one, seal

pytestmark = pytest.mark.database_owner


def test_an_untouched_log_is_right(sealed_log: SealedLog) -> None:
    report = inspect_log()
    assert list(report.problems) == []
    assert (report.first, report.tree_size, report.events) == (0, 10, 10)


def test_an_empty_log_is_right(django_db_setup, db) -> None:
    report = inspect_log()
    assert (report.ok, report.tree_size, report.events) == (True, 0, 0)


def test_a_log_over_many_stored_nodes_is_right(sealed_log: SealedLog) -> None:
    seal(rounds=(245, 1, 256, 7))
    report = inspect_log()
    assert list(report.problems) == []
    assert report.tree_size == 519


def test_a_log_whose_names_and_reasons_were_shredded_is_right(sealed_log: SealedLog) -> None:
    identity_shred(identity=AuditIdentity.objects.filter(name__startswith="mira")[0], reason="asked for")
    reason_shred(event=AuditEvent.objects.filter(event_type="item.lowering_rejected")[0], reason="asked for")
    seal_round()
    report = inspect_log()
    assert (list(report.problems), report.tree_size) == ([], 12)


def test_a_verification_leaves_its_result_and_an_event(sealed_log: SealedLog) -> None:
    report = audit_log_verify()
    kept = AuditVerification.objects.get()
    assert (kept.ok, kept.problem, kept.tree_size, kept.events) == (True, "", 10, 10)
    assert (kept.started_at, kept.finished_at) == (report.started_at, report.finished_at)
    event = AuditEvent.objects.get(event_type="audit.verified")
    assert event.details == {"tree_size": 10, "events": 10}


def test_a_failed_verification_names_the_first_bad_record_in_its_result_and_event(sealed_log: SealedLog) -> None:
    event_id = sealed_log.event_id(4)
    sealed_log.tamper(f"UPDATE ethics_auditevent SET purpose = 'EXPORT' WHERE event_id = '{event_id}'")
    audit_log_verify()
    kept = AuditVerification.objects.get()
    assert (kept.ok, kept.problem) == (
        False,
        f"record 4, event {event_id}: columns and canonical text differ in: purpose",
    )
    event = AuditEvent.objects.get(event_type="audit.verification_failed")
    assert event.details == {"tree_size": 10, "events": 10, "problems": 1, "first_bad_record": 4}


def test_the_next_verification_goes_on_where_the_last_good_one_ended(sealed_log: SealedLog) -> None:
    audit_log_verify()
    record_one(99)
    seal_round()
    report = audit_log_verify(since_verified=True)
    assert (list(report.problems), report.first, report.tree_size, report.events) == ([], 10, 12, 2)


def test_a_failed_verification_is_no_place_to_go_on_from(sealed_log: SealedLog) -> None:
    sealed_log.tamper("UPDATE ethics_auditevent SET purpose = 'EXPORT' WHERE client_id = 'client-0'")
    audit_log_verify()
    assert inspect_log(since_verified=True).first == 0


def test_a_tree_that_no_longer_gives_the_verified_head_is_read_from_its_beginning(sealed_log: SealedLog) -> None:
    audit_log_verify()
    sealed_log.tamper("UPDATE ethics_auditleaf SET leaf_hash = sha256('another') WHERE index = 4")
    report = inspect_log(since_verified=True)
    assert (report.first, report.problems[0].index) == (0, 4)
    assert "no longer gives the verified head of 10 records" in str(report.problems[-1])


def test_the_command_says_what_it_found_and_ends_accordingly(sealed_log: SealedLog) -> None:
    right, wrong = StringIO(), StringIO()
    call_command("verify_audit", stdout=right)
    assert "10 records checked" in right.getvalue()
    assert "The log is right up to its signed head of 10 records." in right.getvalue()
    event_id = sealed_log.event_id(4)
    sealed_log.tamper(f"DELETE FROM ethics_auditevent WHERE event_id = '{event_id}'")
    with pytest.raises(CommandError, match="1 problems found"):
        call_command("verify_audit", stdout=wrong)
    assert f"record 4, event {event_id}: the event is missing" in wrong.getvalue()


def test_the_command_writes_json(sealed_log: SealedLog) -> None:
    event_id = sealed_log.event_id(4)
    sealed_log.tamper(f"DELETE FROM ethics_auditevent WHERE event_id = '{event_id}'")
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", "--json", stdout=output)
    told = json.loads(output.getvalue())
    assert (told["ok"], told["tree_size"], told["problem_count"]) == (False, 10, 1)
    assert told["problems"] == [{"what": "the event is missing", "index": 4, "last_index": None, "event_id": event_id}]


def test_progress_is_told_to_the_end(sealed_log: SealedLog) -> None:
    told: list[tuple[int, int]] = []
    inspect_log(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (10, 10)


def test_the_scheduled_task_verifies_what_is_new(sealed_log: SealedLog) -> None:
    assert verify_audit() is True
    assert verify_audit(whole=True) is True
    assert [kept.events for kept in AuditVerification.objects.order_by("pk")] == [10, 10]
    sealed_log.tamper("UPDATE ethics_auditevent SET purpose = 'EXPORT' WHERE client_id = 'client-0'")
    assert verify_audit(whole=True) is False


def test_a_working_sealer_does_not_disturb_a_verification(committed_database, log_folder, django_db_blocker) -> None:
    """One snapshot: what is sealed meanwhile is of the next verification."""
    stop, failures = threading.Event(), []

    def work() -> None:
        try:
            for number in count():
                record_one(number)
                seal_round()
                if stop.is_set():
                    break
        except Exception as error:  # noqa: BLE001  told to the test
            failures.append(error)
        finally:
            connection.close()

    with django_db_blocker.unblock():
        seal()
        sealer = threading.Thread(target=work)
        sealer.start()
        try:
            reports = [inspect_log() for _ in range(10)]
        finally:
            stop.set()
            sealer.join()
        assert failures == []
        assert [list(report.problems) for report in reports] == [[]] * 10
        assert reports[-1].tree_size > 10
