"""The sealer gives every committed event exactly one leaf, however late it was committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from ethics.audit import sealing
from ethics.audit.sealer_process import alive_path, run_sealer
from ethics.audit.sealing import Sealer, SealerOutOfStep, TreeBroken, seal_round
from ethics.audit.signing import key_path, signing_key
from ethics.audit.state import log_state
from ethics.models import AuditEvent, AuditHead, AuditLeaf, AuditNode, AuditVerification
from tests.ethics.audit.stored_log import assert_log_is_whole, file_heads, write_events


@pytest.fixture
def committed(committed_database, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@contextmanager
def in_another_process(number: int) -> Iterator[threading.Event]:
    """Somebody whose transaction has written events and is still open; it commits when the event is set or at the end."""
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                write_events(number)
                written.set()
                may_commit.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(30)
    try:
        yield may_commit
    finally:
        may_commit.set()
        thread.join(30)


@pytest.mark.django_db
def test_every_event_gets_a_leaf_and_every_round_a_signed_head() -> None:
    sizes = []
    for number in (1, 300, 0, 7):
        write_events(number)
        assert seal_round() == number
        sizes.append(AuditHead.objects.values_list("tree_size", flat=True).first())
    assert sizes == [1, 301, 301, 308]
    assert AuditHead.objects.count() == 3
    assert AuditNode.objects.count() == 1
    assert_log_is_whole()


@pytest.mark.django_db
def test_an_empty_log_has_a_key_and_no_head() -> None:
    assert seal_round() == 0
    assert not AuditHead.objects.exists()
    assert file_heads() == []


@pytest.mark.django_db
def test_more_events_than_a_batch_are_sealed_batch_by_batch(monkeypatch) -> None:
    monkeypatch.setattr(sealing, "BATCH_EVENTS", 4)
    write_events(10)
    assert seal_round() == 10
    assert [head.tree_size for head in AuditHead.objects.order_by("tree_size")] == [4, 8, 10]
    assert_log_is_whole()


def test_an_event_committed_late_is_sealed_by_a_later_round_of_the_same_sealer(committed) -> None:
    sealer = Sealer()
    assert sealer.lead()
    with in_another_process(3) as may_commit:
        write_events(2)
        assert sealer.seal() == 2
        for _ in range(3):
            write_events(1)
            assert sealer.seal() == 1
        may_commit.set()
    assert sealer.seal() == 3
    late = AuditEvent.objects.order_by("pk").values_list("event_id", flat=True)[:3]
    assert set(AuditLeaf.objects.filter(event_id__in=late).values_list("index", flat=True)) == {5, 6, 7}
    assert sealer.seal() == 0
    sealer.resign()
    assert_log_is_whole()


def test_a_transaction_that_takes_itself_back_leaves_no_leaf(committed) -> None:
    sealer = Sealer()
    sealer.lead()
    with pytest.raises(RuntimeError), transaction.atomic():
        write_events(2)
        raise RuntimeError
    write_events(1)
    assert sealer.seal() == 1
    sealer.resign()
    assert_log_is_whole()


def test_only_one_sealer_leads_and_another_takes_over_when_it_ends(committed) -> None:
    write_events(2)
    leader = Sealer()
    assert leader.lead()
    found: list[object] = []

    def stand_by(ended: threading.Event) -> None:
        try:
            found.append(Sealer().lead())
            found.append(seal_round())
            ended.wait(30)
            found.append(seal_round())
        finally:
            connection.close()

    ended = threading.Event()
    thread = threading.Thread(target=stand_by, args=[ended])
    thread.start()
    assert leader.seal() == 2
    write_events(1)
    while len(found) < 2:
        thread.join(0.05)
    leader.resign()
    ended.set()
    thread.join(30)
    assert found == [False, 0, 1]
    assert_log_is_whole()


def test_a_sealer_whose_session_ended_seals_nothing_until_it_leads_again(committed) -> None:
    sealer = Sealer()
    sealer.lead()
    write_events(2)
    connection.close()
    connection.ensure_connection()
    with pytest.raises(SealerOutOfStep):
        sealer.seal()
    assert not AuditLeaf.objects.exists()
    assert sealer.lead()
    assert sealer.seal() == 2
    sealer.resign()


@pytest.mark.django_db
def test_a_round_that_fails_seals_nothing_and_the_next_one_everything(monkeypatch) -> None:
    write_events(3)
    sealer = Sealer()
    sealer.lead()

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken, pytest.raises(RuntimeError):
        broken.setattr(AuditHead.objects, "create", fail)
        sealer.seal()
    assert not AuditLeaf.objects.exists()
    assert sealer.seal() == 3
    assert_log_is_whole()


@pytest.mark.django_db
def test_a_sealer_that_finds_leaves_of_somebody_else_starts_again() -> None:
    write_events(2)
    sealer = Sealer()
    sealer.lead()
    sealer.seal()
    foreign = write_events(1)[0]
    AuditLeaf.objects.create(index=2, event_id=foreign.event_id, leaf_hash=bytes(32))
    write_events(1)
    with pytest.raises(SealerOutOfStep):
        sealer.seal()


@pytest.mark.django_db
@pytest.mark.database_owner
def test_a_tree_that_is_not_the_signed_one_is_not_continued() -> None:
    write_events(2)
    seal_round()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ethics_auditleaf DISABLE TRIGGER append_only")
        cursor.execute("UPDATE ethics_auditleaf SET leaf_hash = decode(repeat('ab', 32), 'hex') WHERE index = 1")
        cursor.execute("ALTER TABLE ethics_auditleaf ENABLE ALWAYS TRIGGER append_only")
    write_events(1)
    with pytest.raises(TreeBroken, match="head of 2 events"):
        seal_round()
    assert AuditLeaf.objects.count() == 2


@pytest.mark.django_db
def test_the_state_tells_what_waits_and_for_how_long() -> None:
    write_events(2)
    seal_round()
    state = log_state()
    assert (state.tree_size, state.unsealed, state.lag_seconds) == (2, 0, 0.0)
    assert state.last_sealed_at == AuditHead.objects.get().signed_at
    write_events(3)
    state = log_state()
    assert (state.tree_size, state.unsealed) == (2, 3)
    assert state.lag_seconds > 0


@pytest.mark.django_db
def test_the_state_of_a_log_that_was_never_sealed() -> None:
    write_events(3)
    state = log_state()
    assert (state.tree_size, state.last_sealed_at, state.unsealed, state.last_check) == (0, None, 3, None)


@pytest.mark.django_db
def test_the_command_seals_once(capsys) -> None:
    write_events(2)
    call_command("seal_audit_log", "--once")
    assert capsys.readouterr().out == "sealer: 2 events sealed\n"
    assert_log_is_whole()


def run_rounds(number: int) -> list[str]:
    """What the sealer's loop reports in so many rounds."""
    said: list[str] = []
    asked = iter([False] * number)
    run_sealer(stopped=lambda: next(asked, True), report=said.append, interval=0.001)
    return said


@pytest.mark.django_db
def test_the_loop_seals_and_leaves_a_sign_of_life() -> None:
    write_events(2)
    assert run_rounds(1) == ["sealing"]
    assert alive_path().exists()
    assert log_state().unsealed == 0


@pytest.mark.django_db
def test_a_loop_that_may_not_seal_raises_the_alarm_and_gives_no_sign_of_life() -> None:
    key_path(signing_key().key_id).unlink()
    write_events(2)
    [said] = run_rounds(1)
    assert "missing" in said
    assert not alive_path().exists()
    assert not AuditLeaf.objects.exists()
    alarm = AuditVerification.objects.get()
    assert not alarm.ok
    assert log_state().problem == alarm.problem
