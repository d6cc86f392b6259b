"""Sealed records move to files, still verify, and leave the table by that way alone."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ethics.audit.archive import audit_range_archive
from ethics.audit.archive_files import archive_path, file_sha256, read_archive, write_archive
from ethics.audit.proofs import inclusion_proof
from ethics.audit.sealing import seal_round
from ethics.audit.verification import audit_log_verify, inspect_log
from ethics.models import AuditArchive, AuditEvent, AuditHead, AuditLeaf
from tests.ethics.audit.sealed_log import HEADS, SealedLog

pytestmark = pytest.mark.database_owner


@pytest.fixture
def archived(sealed_log: SealedLog) -> AuditArchive:
    """The first seven of ten records in a file."""
    audit_log_verify()
    return audit_range_archive(until_size=HEADS[1])


def problems() -> str:
    return "\n".join(map(str, inspect_log().problems))


def test_archived_events_leave_the_table_and_their_leaves_and_heads_stay(archived: AuditArchive) -> None:
    assert (archived.first_index, archived.end_index) == (0, 7)
    ids = AuditLeaf.objects.filter(index__lt=7).values("event_id")
    assert not AuditEvent.objects.filter(event_id__in=ids).exists()
    assert AuditLeaf.objects.count() == 10
    assert AuditHead.objects.count() == 3


def test_an_archive_holds_the_canonical_bytes_by_index(sealed_log: SealedLog) -> None:
    audit_log_verify()
    events = {str(event.event_id): event.canonical.encode() for event in AuditEvent.objects.all()}
    expected = [(index, events[sealed_log.event_id(index)]) for index in range(7)]
    archive = audit_range_archive(until_size=7)
    assert list(read_archive(archive_path(archive.file_name), 0, 7)) == expected


def test_a_log_with_archives_is_right(archived: AuditArchive) -> None:
    seal_round()
    audit_log_verify()
    audit_range_archive(until_size=10)
    report = inspect_log()
    assert list(report.problems) == []
    assert report.first == 0
    assert inspect_log(since_verified=True).ok


def test_an_archived_event_is_still_proved(archived: AuditArchive) -> None:
    assert inclusion_proof(AuditLeaf.objects.get(index=2).event_id).holds()


def test_the_reason_of_an_archived_event_can_be_shredded_and_is_still_held_to_its_commitment(
    archived: AuditArchive, sealed_log: SealedLog
) -> None:
    event_id = sealed_log.event_id(2)
    sealed_log.tamper(f"UPDATE ethics_auditreason SET text = 'another' WHERE event_id = '{event_id}'")
    assert f"record 2, event {event_id}: the reason kept doesn't give the commitment" in problems()
    sealed_log.tamper(
        f"UPDATE ethics_auditreason SET text = '', salt = NULL, shredded_at = now() WHERE event_id = '{event_id}'"
    )
    assert problems() == ""


def test_an_archiving_is_recorded(archived: AuditArchive) -> None:
    event = AuditEvent.objects.get(event_type="audit.archived")
    assert event.subject_ids == [archived.file_name]
    assert event.details == {"first_index": 0, "end_index": 7, "sha256": archived.sha256}


def test_the_same_range_gives_the_same_file(sealed_log: SealedLog) -> None:
    audit_log_verify()
    digests = []
    for _ in range(2):
        with transaction.atomic():
            digests.append(audit_range_archive(until_size=7).sha256)
            transaction.set_rollback(True)
    assert digests[0] == digests[1]


def test_only_what_is_signed_verified_and_not_archived_yet_is_archived(sealed_log: SealedLog) -> None:
    with pytest.raises(ValidationError, match="was not verified up to 7"):
        audit_range_archive(until_size=7)
    audit_log_verify()
    with pytest.raises(ValidationError, match="Only 10 records are signed"):
        audit_range_archive(until_size=11)
    audit_range_archive(until_size=7)
    with pytest.raises(ValidationError, match="Nothing to archive"):
        audit_range_archive(until_size=7)
    with pytest.raises(ValidationError, match="Nothing to archive"):
        audit_range_archive(until_size=0)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ethics_auditevent SET purpose = 'EXPORT'",
        "UPDATE ethics_auditevent SET canonical = canonical || ' '",
        "DELETE FROM ethics_auditevent",
    ],
)
def test_a_record_that_is_not_what_was_sealed_is_not_archived(change: str, sealed_log: SealedLog) -> None:
    audit_log_verify()
    sealed_log.tamper(f"{change} WHERE event_id = '{sealed_log.event_id(4)}'")
    with pytest.raises(ValidationError, match="Record 4"):
        audit_range_archive(until_size=7)
    assert not AuditArchive.objects.exists()


@pytest.fixture
def guarded(archived: AuditArchive) -> AuditArchive:
    """The archive, with the database's guards awake and nothing put off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return archived


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ethics_auditevent",
        "DELETE FROM ethics_auditarchive",
        "UPDATE ethics_auditarchive SET end_index = 10",
        "TRUNCATE ethics_auditarchive",
        "TRUNCATE ethics_auditevent CASCADE",
        "CREATE TEMP TABLE ethics_auditarchive AS SELECT 0 AS first_index, 99 AS end_index; "
        "DELETE FROM public.ethics_auditevent",
    ],
)
def test_events_that_no_archive_holds_stay_whoever_asks(statement: str, guarded: AuditArchive) -> None:
    before = AuditEvent.objects.count()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEvent.objects.count() == before


def test_a_lost_archive_file_is_found(archived: AuditArchive) -> None:
    archive_path(archived.file_name).unlink()
    assert problems() == f"records 0 to 6: archive {archived.file_name} is missing"


@pytest.mark.parametrize("place", [4, 5, 60, -1])
def test_one_byte_changed_in_an_archive_file_is_found(place: int, archived: AuditArchive) -> None:
    """In its header, its contents or its end."""
    path = archive_path(archived.file_name)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    rewrite(path, bytes(content))
    assert f"archive {archived.file_name} doesn't have the recorded SHA-256" in problems()


def test_a_cut_archive_file_is_found(archived: AuditArchive) -> None:
    path = archive_path(archived.file_name)
    rewrite(path, path.read_bytes()[:-20])
    assert "bytes, not" in problems()
    assert "can't be unpacked" in problems()


def test_a_record_changed_in_an_archive_whose_row_was_changed_with_it_is_located(
    archived: AuditArchive, sealed_log: SealedLog
) -> None:
    path = archive_path(archived.file_name)
    records = [
        (index, text.replace(b"practice-2", b"practice-9") if index == 2 else text)
        for index, text in read_archive(path, 0, 7)
    ]
    path.unlink()
    write_archive(path, records)
    sealed_log.tamper(
        f"UPDATE ethics_auditarchive SET sha256 = '{file_sha256(path)}', size_bytes = {path.stat().st_size}"
    )
    event_id = sealed_log.event_id(2)
    assert problems() == f"record 2, event {event_id}: the archived text doesn't give the leaf hash"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("first_index = 1", "record 0: no archive holds these records"),
        ("end_index = 8", "ends at record 7 of 8"),
        ("end_index = 6", "the event is missing"),
        ("sha256 = repeat('0', 64)", "doesn't have the recorded SHA-256"),
        ("size_bytes = size_bytes + 1", "bytes, not"),
        ("file_name = 'another.gz'", "archive another.gz is missing"),
    ],
)
def test_a_changed_row_of_an_archive_is_found(
    change: str, expected: str, archived: AuditArchive, sealed_log: SealedLog
) -> None:
    sealed_log.tamper(f"UPDATE ethics_auditarchive SET {change}")
    assert expected in problems()


def test_a_removed_row_of_an_archive_is_found(archived: AuditArchive, sealed_log: SealedLog) -> None:
    sealed_log.tamper("DELETE FROM ethics_auditarchive")
    assert "record 0, event" in problems()
    assert "the event is missing" in problems()


def test_an_archived_event_put_back_into_the_table_is_found(sealed_log: SealedLog) -> None:
    """Whoever may insert could show another event under an id that the tree proves."""
    audit_log_verify()
    event = AuditEvent.objects.get(event_id=sealed_log.event_id(2))
    audit_range_archive(until_size=7)
    event.pk, event.purpose = None, "EXPORT"
    event.save(force_insert=True)
    assert problems() == f"record 2, event {event.event_id}: the event is archived, but stands in the table again"


def test_the_command_archives_up_to_a_size(sealed_log: SealedLog) -> None:
    call_command("verify_audit", stdout=StringIO())
    output = StringIO()
    call_command("archive_audit", "--until-size", "7", stdout=output)
    archive = AuditArchive.objects.get()
    assert archive.file_name in output.getvalue()
    assert archive.sha256 in output.getvalue()


def test_the_command_archives_what_is_older_than_some_days(sealed_log: SealedLog, monkeypatch) -> None:
    audit_log_verify()
    later = timezone.now() + timedelta(days=3)
    monkeypatch.setattr("ethics.management.commands.archive_audit.timezone.now", lambda: later)
    call_command("archive_audit", "--older-than", "2", stdout=StringIO())
    assert AuditArchive.objects.get().end_index == 10


def test_the_command_keeps_what_is_younger(sealed_log: SealedLog) -> None:
    audit_log_verify()
    with pytest.raises(CommandError, match="Nothing to archive"):
        call_command("archive_audit", "--older-than", "1", stdout=StringIO())


@pytest.mark.parametrize("arguments", [["--older-than", "0"], [], ["--until-size", "7", "--older-than", "1"]])
def test_the_command_refuses_what_it_cannot_mean(arguments: list[str], db) -> None:
    with pytest.raises(CommandError):
        call_command("archive_audit", *arguments, stdout=StringIO())


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)
