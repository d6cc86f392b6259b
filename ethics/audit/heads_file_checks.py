"""Holds the heads file, which lies outside the database, against the table of heads.

The file only grows, by one head after another; the sealer writes to it after its commit. So its sizes rise, each of its
heads stands in the table as in the file, and what the table has more is newer than the last head of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from ethics.audit.findings import Findings
from ethics.audit.head_checks import HeadChecks
from ethics.audit.heads_file import FileHead, HeadsFileError, heads_path, parse_head, read_lines
from ethics.models import AuditHead


class HeadsFileChecks:
    """One pass over file and table side by side. Made before the snapshot is taken: it reads the file no further than it
    was then."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        path = heads_path()
        self._bytes = path.stat().st_size if path.is_file() else None

    def run(self, heads: HeadChecks, *, from_size: int) -> None:
        """Compare the heads of more than ``from_size`` records; the file's own order is checked from its beginning."""
        table = AuditHead.objects.filter(tree_size__gt=from_size).order_by("tree_size").iterator(chunk_size=1000)
        if self._bytes is None:
            first = next(table, None)
            if first is not None:
                self._findings.add("the heads file is missing", index=from_size)
            return
        pending = next(table, None)
        known = from_size
        for number, entry in self._rising():
            if entry.tree_size <= from_size:
                continue
            if entry.log_id != heads.log_id:
                self._findings.add(f"line {number} of the heads file is a head of another log", index=known)
            while pending is not None and pending.tree_size < entry.tree_size:
                self._findings.add(f"the head of {pending.tree_size} events is not in the heads file", index=known)
                known, pending = pending.tree_size, next(table, None)
            if pending is None or pending.tree_size > entry.tree_size:
                self._report_lost(number, entry, known, at_end=pending is None, heads=heads)
            else:
                self._compare(number, entry, pending, known)
                known, pending = pending.tree_size, next(table, None)
        allowed = timezone.now() - timedelta(seconds=settings.AUDIT_ALLOWED_LAG_SECONDS)
        while pending is not None:
            if pending.signed_at < allowed:
                self._findings.add(f"the head of {pending.tree_size} events never reached the heads file", index=known)
            known, pending = pending.tree_size, next(table, None)

    def _rising(self) -> Iterator[tuple[int, FileHead]]:
        """Line numbers and heads whose size is larger than all before; others are reported."""
        largest, root = 0, ""
        for number, line in read_lines(self._bytes or 0):
            try:
                entry = parse_head(line)
            except HeadsFileError as error:
                self._findings.add(f"line {number} of the heads file {error}", index=largest)
                continue
            if entry.tree_size > largest:
                largest, root = entry.tree_size, entry.root_hash
                yield number, entry
            elif entry.tree_size == largest and entry.root_hash != root:
                self._findings.add(
                    f"fork: line {number} of the heads file is a second head of {largest} events with another root",
                    last_index=largest - 1,
                    index=0,
                )
            else:
                self._findings.add(
                    f"line {number} of the heads file replays the head of {entry.tree_size} events after that of {largest}",
                    index=entry.tree_size,
                )

    def _report_lost(self, number: int, entry: FileHead, known: int, *, at_end: bool, heads: HeadChecks) -> None:
        """The file has a head that the table lacks: the log lost its tail, or somebody else wrote to the file."""
        wrong = heads.problem_of(entry.as_head())
        what = f"line {number} of the heads file is a head of {entry.tree_size} events"
        if wrong:
            self._findings.add(f"{what} that the table lacks; it {wrong}", index=known)
        elif at_end:
            self._findings.add(
                f"the tail of the log is gone: {what}, the table ends at {known}",
                index=known,
                last_index=entry.tree_size - 1,
            )
        else:
            self._findings.add(f"{what}, which the table lacks", index=known, last_index=entry.tree_size - 1)

    def _compare(self, number: int, entry: FileHead, kept: AuditHead, known: int) -> None:
        if entry.root_hash != bytes(kept.root_hash).hex():
            self._findings.add(
                f"fork: table and line {number} of the heads file have heads of {entry.tree_size} events with other roots",
                index=known,
                last_index=entry.tree_size - 1,
            )
        elif entry != FileHead.of(kept, log_id=entry.log_id):
            self._findings.add(
                f"table and line {number} of the heads file differ in the head of {entry.tree_size} events", index=known
            )
