"""Moves sealed records from the event table to a compressed file; leaves, nodes and heads stay.

The file is written, flushed and read back before the database lets go of the events, in one transaction with the row that
names the file and the event that says so. A crash in between leaves a file that nobody refers to and the next run replaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from ethics.audit.archive_files import archive_path, file_sha256, read_archive, write_archive
from ethics.audit.record_checks import CHUNK, Progress
from ethics.audit.recording import record
from ethics.audit.stored_records import columns_text, shown_id, stored_records
from ethics.audit.tree import leaf_hash
from ethics.models import AuditArchive, AuditHead, AuditLeaf, AuditVerification

_LOCK = 0x61726368  # "arch": one archiving at a time
_OLDEST_TO_STAY = """
SELECT min(leaf.index) FROM ethics_auditleaf leaf JOIN ethics_auditevent event ON event.event_id = leaf.event_id
WHERE event.occurred_at >= %s
"""
_DELETE = """
DELETE FROM ethics_auditevent event USING ethics_auditleaf leaf
WHERE leaf.event_id = event.event_id AND leaf.index >= %s AND leaf.index < %s
"""


def archivable_size(*, before: datetime) -> int:
    """How many of the first records all happened before the moment and are signed."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_TO_STAY, [before])
        [(oldest,)] = cursor.fetchall()
    signed = _signed_size()
    return signed if oldest is None else min(oldest, signed)


def archived_before(*, moment: datetime | None = None) -> tuple[int, datetime] | None:
    """How many records of the log were archived, and when the first head over all of them was signed.

    All of them happened before that. None where nothing was archived, or where that head is not younger than ``moment``.
    """
    last = AuditArchive.objects.order_by("-end_index").first()
    if last is None:
        return None
    head = AuditHead.objects.filter(tree_size__gte=last.end_index).order_by("tree_size").first()
    assert head is not None  # noqa: S101  what is archived was signed
    return None if moment is not None and head.signed_at <= moment else (last.end_index, head.signed_at)


@transaction.atomic
def audit_range_archive(*, until_size: int, progress: Progress | None = None) -> AuditArchive:
    """Move the events of the records up to ``until_size`` (exclusive) that aren't archived yet into a file.

    Only the database's owner may: the application's role can't delete.

    Raises:
        ValidationError: nothing is left to archive up to there, or the records aren't signed, aren't verified by the
            newest verification, or aren't what was sealed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = AuditArchive.objects.order_by("-end_index").first()
    first = last.end_index if last else 0
    if until_size > _signed_size():
        raise ValidationError(f"Only {_signed_size()} records are signed; {until_size} can't be archived.")
    verified = AuditVerification.objects.order_by("-finished_at", "-id").first()
    if verified is None or not verified.ok or verified.tree_size < until_size:
        raise ValidationError(
            f"The log was not verified up to {until_size} records without findings; run verify_audit."
        )
    if until_size <= first:
        raise ValidationError(
            f"Nothing to archive: the records up to {first} are archived, {until_size} were asked for."
        )
    name = f"events-{first:012d}-{until_size:012d}.gz"
    path = archive_path(name)
    write_archive(path, _sealed(first, until_size, progress or _silent))
    _read_back(first, until_size, name)
    archive = AuditArchive.objects.create(
        first_index=first,
        end_index=until_size,
        file_name=name,
        size_bytes=path.stat().st_size,
        sha256=file_sha256(path),
        archived_at=timezone.now(),
    )
    record(
        "audit.archived",
        subjects=[name],
        details={"first_index": first, "end_index": until_size, "sha256": archive.sha256},
    )
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [first, until_size])
        if cursor.rowcount != until_size - first:
            raise ValidationError(f"{cursor.rowcount} events would be deleted for {until_size - first} records.")
    return archive


def _signed_size() -> int:
    return AuditHead.objects.order_by("-tree_size").values_list("tree_size", flat=True).first() or 0


def _sealed(first: int, end: int, progress: Progress) -> Iterator[tuple[int, bytes]]:
    """The records, each held to its leaf and its columns: what is wrong must not become the archive's truth."""
    expected = first
    for start in range(first, end, CHUNK):
        for index, event_id, leaf, canonical, before, details, after in stored_records(start, min(start + CHUNK, end)):
            if index != expected or canonical is None or leaf_hash(canonical) != leaf:
                raise ValidationError(f"Record {expected} isn't what was sealed; run verify_audit.")
            if columns_text(before, details, after) != canonical:
                raise ValidationError(f"Record {index}, event {shown_id(event_id)}: its columns were changed.")
            yield index, canonical
            expected += 1
        progress(expected - first, end - first)
    if expected != end:
        raise ValidationError(f"Record {expected} is missing; run verify_audit.")


def _read_back(first: int, end: int, name: str) -> None:
    """Hold the file on the disk to the leaves before its events go."""
    leaves = AuditLeaf.objects.filter(index__gte=first, index__lt=end).order_by("index")
    stored = leaves.values_list("leaf_hash", flat=True).iterator(chunk_size=10_000)
    for (index, canonical), leaf in zip(read_archive(archive_path(name), first, end), stored, strict=True):
        if leaf_hash(canonical) != bytes(leaf):
            raise ValidationError(f"The file {name} doesn't give the leaf of record {index} back.")


def _silent(done: int, total: int) -> None:
    """No progress is shown."""
