"""Checks every sealed record and the tree over them, in one pass with constant memory.

A record is right when its canonical bytes give its leaf hash and say what its columns say. The tree is right when the
leaves, in order and without a gap, give every stored node and the root of every signed head.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

from django.db.models import Q

from ethics.audit.archive_files import ArchiveShelf
from ethics.audit.findings import Findings
from ethics.audit.head_checks import HeadChecks
from ethics.audit.stored_records import columns_text, differing_fields, shown_id, stored_records
from ethics.audit.table_checks import check_archived_actors, check_archived_reasons
from ethics.audit.tree import Frontier, Node
from ethics.models import AuditHead, AuditLeaf, AuditNode
from ethics.models.audit_tree import LOWEST_STORED_LEVEL

CHUNK = 1 << 16
"""Leaves in one stream: between two of them the connection reads the heads and nodes of the next."""

Progress = Callable[[int, int], None]


class LeafMissing(Exception):
    """A leaf is missing or repeated: what follows has no place in the tree."""


class RecordChecks:
    """One pass over the leaves from a starting edge to the end of the table."""

    def __init__(self, findings: Findings, heads: HeadChecks, shelf: ArchiveShelf, frontier: Frontier) -> None:
        self._findings = findings
        self._heads = heads
        self._shelf = shelf
        self._frontier = frontier
        self.first = frontier.size
        self.signed_size = frontier.size
        """Size of the last head that is rightly signed and whose root the leaves gave."""
        self._first_uncovered = b""
        self._tree_holds = True
        self._last_head = 0
        self._archived_actors: set[str] = set()
        self._archived_reasons: dict[str, tuple[int, str]] = {}

    @property
    def checked(self) -> int:
        """Number of records checked."""
        return self._frontier.size - self.first

    def run(self, progress: Progress) -> None:
        """Check all records; what is wrong goes to the findings."""
        end = self._end()
        try:
            for start in range(self.first, end, CHUNK):
                self._check_chunk(start, min(start + CHUNK, end))
                progress(self.checked, end - self.first)
        except LeafMissing:
            return
        size = self._frontier.size
        if self.signed_size < size and self._tree_holds:
            self._add_uncovered("no rightly signed head covers these records", size - 1)
        check_archived_actors(self._findings, self._archived_actors)
        if AuditNode.objects.count() > sum(size >> level for level in range(LOWEST_STORED_LEVEL, size.bit_length())):
            self._findings.add(f"nodes are stored that a tree of {size} leaves doesn't have")

    def _end(self) -> int:
        last_leaf = AuditLeaf.objects.order_by("-index").values_list("index", flat=True).first()
        largest_head = AuditHead.objects.order_by("-tree_size").values_list("tree_size", flat=True).first()
        return max(-1 if last_leaf is None else last_leaf, (largest_head or 0) - 1) + 1

    def _check_chunk(self, start: int, end: int) -> None:
        heads = self._heads.between(start, end)
        nodes = _nodes_completed(start, end)
        next_head = next(heads, None)
        findings, frontier = self._findings, self._frontier
        for index, event_id, leaf, canonical, before, details, after in stored_records(start, end):
            if index != frontier.size:
                self._report_gap(index, event_id)
            if index == self.signed_size:
                self._first_uncovered = event_id
            if index < self._shelf.end:
                self._check_archived(index, event_id, leaf, canonical)
            elif canonical is None:
                findings.add("the event is missing", index=index, event_id=shown_id(event_id))
            else:
                if sha256(b"\x00" + canonical).digest() != leaf:
                    findings.add(
                        "the canonical text doesn't give the leaf hash", index=index, event_id=shown_id(event_id)
                    )
                columns = columns_text(before, details, after)
                if columns != canonical:
                    self._report_columns(index, event_id, canonical, columns)
            completed = frontier.append(leaf)
            if len(completed) >= LOWEST_STORED_LEVEL and self._tree_holds:
                self._check_nodes(completed, nodes)
            while next_head is not None and next_head.tree_size == index + 1:
                self._check_head(next_head)
                next_head = next(heads, None)
        if frontier.size < end:
            self._report_gap(end, None)
        check_archived_reasons(findings, self._archived_reasons)
        self._archived_reasons.clear()

    def _check_archived(self, index: int, event_id: bytes, leaf: bytes, in_table: bytes | None) -> None:
        shown = shown_id(event_id)
        if in_table is not None:
            self._findings.add("the event is archived, but stands in the table again", index=index, event_id=shown)
        canonical = self._shelf.canonical(index)
        if canonical is None:
            return
        if sha256(b"\x00" + canonical).digest() != leaf:
            self._findings.add("the archived text doesn't give the leaf hash", index=index, event_id=shown)
            return
        said = json.loads(canonical)
        if said["event_id"] != shown:
            self._findings.add("the leaf names another event than the archived text", index=index, event_id=shown)
        self._archived_actors.add(said["actor"])
        if said["reason"]:
            self._archived_reasons[shown] = (index, said["reason"])

    def _report_columns(self, index: int, event_id: bytes, canonical: bytes, columns: bytes) -> None:
        names = ", ".join(differing_fields(canonical, columns))
        self._findings.add(f"columns and canonical text differ in: {names}", index=index, event_id=shown_id(event_id))

    def _report_gap(self, found: int, event_id: bytes | None) -> None:
        """The leaf found isn't the one expected: raises LeafMissing, since the tree can't go on."""
        expected = self._frontier.size
        if found < expected:
            self._findings.add(
                "the leaf index occurs twice", index=found, event_id=shown_id(event_id) if event_id else ""
            )
        else:
            self._findings.add(
                "no leaf has this index, although later leaves or signed heads exist",
                index=expected,
                last_index=found - 1,
            )
        raise LeafMissing

    def _check_nodes(self, completed: list[Node], stored: dict[tuple[int, int], bytes]) -> None:
        for level, index, entry in completed[LOWEST_STORED_LEVEL - 1 :]:
            kept = stored.get((level, index))
            first, last = index << level, ((index + 1) << level) - 1
            if kept != entry and not self._findings.within(first, last):
                what = "is missing" if kept is None else "isn't the hash of its leaves"
                self._findings.add(f"node {level}/{index} {what}", index=first, last_index=last)

    def _add_uncovered(self, what: str, last_index: int) -> None:
        """Name the records after the last good head, of which the tree alone can't say which one it is."""
        event_id = shown_id(self._first_uncovered) if self._first_uncovered else ""
        self._findings.add(what, index=self.signed_size, event_id=event_id, last_index=last_index)

    def _report_root(self, head: AuditHead) -> None:
        """Name the records of which one was changed: all after the last good head, or a stored node's that knows better.

        Nothing is added where the records themselves already told which one it is.
        """
        known = self._findings.within(self.signed_size, head.tree_size - 1)
        if any(problem.last_index is None for problem in known):
            return
        what = (
            f"the leaves don't give the root of the head of {head.tree_size} events: among these records one was changed,"
            " moved, added or removed, and its leaf with it"
        )
        if known:
            self._findings.add(what, index=known[0].index, last_index=known[0].last_index)
        else:
            self._add_uncovered(what, head.tree_size - 1)

    def _check_head(self, head: AuditHead) -> None:
        """Hold a head to the leaves before it. Once a root is wrong, all later ones are: then only signatures tell."""
        signed = self._heads.check(head, after=self.signed_size)
        if head.tree_size == self._last_head:
            self._findings.add(f"fork: a second head of {head.tree_size} events", index=head.tree_size - 1)
        self._last_head = head.tree_size
        if not self._tree_holds:
            return
        if bytes(head.root_hash) != self._frontier.root():
            self._tree_holds = False
            self._report_root(head)
        elif signed:
            self.signed_size = head.tree_size


def _nodes_completed(start: int, end: int) -> dict[tuple[int, int], bytes]:
    """The stored nodes whose last leaf lies from ``start`` up to ``end`` (exclusive)."""
    places = Q(pk__in=[])
    for level in range(LOWEST_STORED_LEVEL, end.bit_length()):
        places |= Q(level=level, index__gte=start >> level, index__lt=end >> level)
    found = AuditNode.objects.filter(places).order_by().values_list("level", "index", "hash")
    return {(level, index): bytes(entry) for level, index, entry in found}
