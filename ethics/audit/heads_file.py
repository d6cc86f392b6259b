"""The signed heads outside the database: one canonical JSON line a head, appended and synced after the commit.

Who rewrites the database can't rewrite this file as well, as long as it lies elsewhere or is copied away. A head in the
file that the database lacks means that the database lost its tail.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Self

from ethics.audit.canonical import canonical_text
from ethics.audit.durable_files import sync_folder
from ethics.audit.signing import audit_folder, moment_text
from ethics.models import AuditHead

_NAME = "heads.jsonl"
_LONGEST_LINE = 4096


class HeadsFileError(ValueError):
    """A line of the file is no head, or the file can't be written."""


class LogTailLost(Exception):
    """The heads file knows heads that the database lacks, or has otherwise: nothing may be sealed over this."""


@dataclass(frozen=True)
class FileHead:
    """A head as the file has it; hashes and signature in hex, the time as it was signed."""

    key_id: str
    log_id: str
    root_hash: str
    signature: str
    signed_at: str
    tree_size: int

    @classmethod
    def of(cls, head: AuditHead, *, log_id: str) -> Self:
        """The line of a head of the table."""
        return cls(
            key_id=head.key_id,
            log_id=log_id,
            root_hash=bytes(head.root_hash).hex(),
            signature=bytes(head.signature).hex(),
            signed_at=moment_text(head.signed_at),
            tree_size=head.tree_size,
        )

    def as_head(self) -> AuditHead:
        """The head, not saved."""
        return AuditHead(
            tree_size=self.tree_size,
            root_hash=bytes.fromhex(self.root_hash),
            signature=bytes.fromhex(self.signature),
            key_id=self.key_id,
            signed_at=datetime.fromisoformat(self.signed_at),
        )

    def line(self) -> bytes:
        """The line with its end."""
        return canonical_text(asdict(self)).encode() + b"\n"


def heads_path() -> Path:
    """Where the heads file lies."""
    return audit_folder() / _NAME


def parse_head(line: bytes) -> FileHead:
    """The head that a line holds.

    Raises:
        HeadsFileError: it holds none.
    """
    try:
        values = json.loads(line)
        head = FileHead(**values)
        head.as_head()
    except (ValueError, TypeError) as error:
        raise HeadsFileError("is no head") from error
    texts = (getattr(head, field.name) for field in fields(head) if field.name != "tree_size")
    if type(head.tree_size) is not int or head.tree_size < 1 or not all(isinstance(text, str) for text in texts):
        raise HeadsFileError("is no head")
    return head


def read_lines(limit: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and content of the lines that begin within the first ``limit`` bytes; no file, no lines."""
    path = heads_path()
    if not path.exists():
        return
    with path.open("rb") as handle:
        number, read = 0, 0
        while (limit is None or read < limit) and (line := handle.readline(_LONGEST_LINE)):
            number, read = number + 1, read + len(line)
            yield number, line.rstrip(b"\n")


def append_heads(heads: Iterable[FileHead]) -> None:
    """Append lines, on the disk when this returns.

    Raises:
        HeadsFileError: they can't be written.
    """
    path = heads_path()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            new = handle.tell() == 0
            handle.writelines(head.line() for head in heads)
            handle.flush()
            os.fsync(handle.fileno())
        if new:
            sync_folder(path.parent)
    except OSError as error:
        raise HeadsFileError(f"The heads file {path} can't be written: {error.strerror}") from error


def reconcile_heads_file(*, log_id: str) -> int:
    """Bring the file up to the database after a stop, and return how many heads were appended.

    A crash between commit and append leaves the file behind; a torn last line is written again.

    Raises:
        LogTailLost: the last head of the file is not the database's head of that size.
        HeadsFileError: its last line is no head, or it can't be written.
    """
    last = _last_head()
    if last is not None:
        _check_known(last, log_id)
    missing = AuditHead.objects.filter(tree_size__gt=last.tree_size if last else 0).order_by("tree_size")
    count = missing.count()
    if count:
        append_heads(FileHead.of(head, log_id=log_id) for head in missing.iterator(chunk_size=1000))
    return count


def _check_known(last: FileHead, log_id: str) -> None:
    path = heads_path()
    if last.log_id != log_id:
        raise LogTailLost(
            f"{path} belongs to another log ({last.log_id[:16]}) than this database ({log_id[:16]}). "
            "Move the audit folder away if the database was made anew on purpose."
        )
    kept = AuditHead.objects.filter(tree_size=last.tree_size).first()
    if kept is None:
        newest = AuditHead.objects.values_list("tree_size", flat=True).first() or 0
        raise LogTailLost(
            f"The database lost the tail of the log: {path} has a signed head of {last.tree_size} events, "
            f"the database ends at {newest}. Restore the database; nothing is sealed until then."
        )
    if FileHead.of(kept, log_id=log_id) != last:
        raise LogTailLost(
            f"Fork: the head of {last.tree_size} events in {path} is another one than in the database. Nothing is sealed."
        )


def _last_head() -> FileHead | None:
    """The last whole line; what a crash left behind it is cut off, because the database has that head."""
    path = heads_path()
    if not path.exists():
        return None
    try:
        lines = _whole_lines_at_end(path)
    except OSError as error:
        raise HeadsFileError(f"The heads file {path} can't be read: {error.strerror}") from error
    try:
        return parse_head(lines[-1]) if lines else None
    except HeadsFileError as error:
        raise HeadsFileError(f"The last line of {path} is no head; bring the file back from a copy.") from error


def _whole_lines_at_end(path: Path) -> list[bytes]:
    with path.open("r+b") as handle:
        end = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, end - 2 * _LONGEST_LINE))
        tail = handle.read()
        torn = len(tail) - (tail.rfind(b"\n") + 1)
        if torn:
            handle.truncate(end - torn)
            os.fsync(handle.fileno())
    return tail[: len(tail) - torn].splitlines()
