"""The files that archived records lie in: one a range, gzip, a line a record: its index, a space, its canonical text.

Files lie in ``archive/`` of the audit folder. Their ranges follow each other without a gap from record 0 on.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ethics.audit.findings import Findings
from ethics.audit.signing import audit_folder
from ethics.models import AuditArchive

_BLOCK = 1 << 20
_COMPRESSION = 6


class ArchiveDamaged(Exception):
    """The file isn't what was archived."""


def archive_path(file_name: str) -> Path:
    """Where an archive file of that name lies."""
    return audit_folder() / "archive" / file_name


def write_archive(path: Path, records: Iterable[tuple[int, bytes]]) -> None:
    """Write (index, canonical bytes) to a file that is there as a whole or not at all; flushed to the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as raw:
        # Without name and time in its header the same range gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_COMPRESSION, mtime=0) as packed:
            for index, canonical in records:
                packed.write(b"%d %b\n" % (index, canonical))
        raw.flush()
        os.fsync(raw.fileno())
    unfinished.chmod(0o400)
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_archive(path: Path, first_index: int, end_index: int) -> Iterator[tuple[int, bytes]]:
    """The (index, canonical bytes) of a file, which has to hold exactly this range in order.

    Raises:
        ArchiveDamaged: the file is missing, can't be unpacked, or holds something else; said at the place reached.
    """
    expected = first_index
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                number, _, canonical = line.rstrip(b"\n").partition(b" ")
                if number != b"%d" % expected or expected >= end_index:
                    raise ArchiveDamaged(f"holds {number[:20]!r} where record {expected} belongs")
                yield expected, canonical
                expected += 1
    except FileNotFoundError:
        raise ArchiveDamaged("is missing") from None
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveDamaged(f"can't be unpacked at record {expected}: {error}") from error
    if expected != end_index:
        raise ArchiveDamaged(f"ends at record {expected} of {end_index}")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class ArchiveShelf:
    """All archived ranges, read in order of the records beside the stream of the leaves."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._archives = list(AuditArchive.objects.order_by("first_index"))
        self._open: AuditArchive | None = None
        self._lost: set[str] = set()
        self._records: Iterator[tuple[int, bytes]] = iter(())
        self.end = max((archive.end_index for archive in self._archives), default=0)
        """The first index that isn't archived."""

    def check_files(self, *, whole: bool) -> None:
        """Check that the ranges join, and each file's size; where ``whole``, the SHA-256 too."""
        expected = 0
        for archive in self._archives:
            if archive.first_index != expected:
                self._findings.add("no archive holds these records", index=expected, last_index=archive.first_index - 1)
            expected = archive.end_index
            path = archive_path(archive.file_name)
            if not path.is_file():
                self._lost.add(archive.file_name)
                self._add(archive, "is missing")
            elif path.stat().st_size != archive.size_bytes:
                self._add(archive, f"has {path.stat().st_size} bytes, not {archive.size_bytes}")
            elif whole and file_sha256(path) != archive.sha256:
                self._add(archive, "doesn't have the recorded SHA-256")

    def canonical(self, index: int) -> bytes | None:
        """The archived bytes of a record; None where its file is lost or damaged, which is reported once a file.

        Records are asked for in rising order.
        """
        if self._open is None or index >= self._open.end_index:
            self._open = next((one for one in self._archives if one.first_index <= index < one.end_index), None)
            if self._open is None or self._open.file_name in self._lost:
                self._records = iter(())
                return None
            path = archive_path(self._open.file_name)
            self._records = read_archive(path, self._open.first_index, self._open.end_index)
        try:
            return next((canonical for place, canonical in self._records if place == index), None)
        except ArchiveDamaged as error:
            self._add(self._open, str(error), index)
            self._records = iter(())
            return None

    def _add(self, archive: AuditArchive, what: str, index: int | None = None) -> None:
        first = archive.first_index if index is None else index
        self._findings.add(f"archive {archive.file_name} {what}", index=first, last_index=archive.end_index - 1)
