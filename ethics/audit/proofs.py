"""Proofs from the stored tree: that an event stands in the log, and that a later log continues an earlier one.

A proof reads its place in the tree, fewer than 512 leaves (those beside the event in its block of 256, and those of the
unfinished block at the end) and the stored nodes above them, whatever the size of the log.
"""

from __future__ import annotations

import operator
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from django.db.models import Q

from ethics.audit.tree import (
    HASH_BYTES,
    Frontier,
    NodeReader,
    consistency_path,
    inclusion_path,
    verify_consistency,
    verify_inclusion,
)
from ethics.models import AuditHead, AuditLeaf, AuditNode
from ethics.models.audit_tree import LOWEST_STORED_LEVEL


class NoProof(LookupError):
    """There is nothing to prove: the event isn't sealed, or the log has no such head."""


@dataclass(frozen=True)
class InclusionProof:
    """The leaf ``index`` of the log that ``head`` signs stands for the event."""

    event_id: uuid.UUID
    index: int
    leaf_hash: bytes
    head: AuditHead
    path: tuple[bytes, ...]

    def holds(self) -> bool:
        """Whether the path leads to the root of the head. The head's signature is another question."""
        return verify_inclusion(self.leaf_hash, self.index, self.head.tree_size, self.path, bytes(self.head.root_hash))


@dataclass(frozen=True)
class ConsistencyProof:
    """The log that ``second`` signs begins with the one that ``first`` signs."""

    first: AuditHead
    second: AuditHead
    path: tuple[bytes, ...]

    def holds(self) -> bool:
        """Whether the path leads to both roots."""
        sizes = self.first.tree_size, self.second.tree_size
        return verify_consistency(*sizes, self.path, bytes(self.first.root_hash), bytes(self.second.root_hash))


def inclusion_proof(event_id: uuid.UUID, *, tree_size: int | None = None) -> InclusionProof:
    """Proof that the event is in the newest signed log, or in the one of ``tree_size``.

    Raises:
        NoProof: the event isn't sealed yet, was sealed after that head, or there is no such head.
    """
    return inclusion_proofs([event_id], tree_size=tree_size)[0]


def inclusion_proofs(event_ids: Sequence[uuid.UUID], *, tree_size: int | None = None) -> list[InclusionProof]:
    """Proofs of several events to the same head, in the order asked for, in four queries.

    A caller with many events asks for a few hundred at a time: each may bring the leaves of a block of its own.

    Raises:
        NoProof: one of the events isn't sealed yet, was sealed after that head, or there is no such head.
    """
    head = _head(tree_size)
    leaves = {leaf.event_id: leaf for leaf in AuditLeaf.objects.filter(event_id__in=event_ids)}
    for event_id in event_ids:
        if event_id not in leaves:
            raise NoProof(f"event {event_id} is not sealed")
        if leaves[event_id].index >= head.tree_size:
            raise NoProof(f"event {event_id} was sealed after the head of {head.tree_size} events")
    nodes = StoredNodes()
    wanted: dict[tuple[int, int], None] = {}
    for leaf in leaves.values():
        inclusion_path(leaf.index, head.tree_size, _noting(wanted))
    nodes.load(wanted)
    return [
        InclusionProof(
            event_id=event_id,
            index=leaf.index,
            leaf_hash=bytes(leaf.leaf_hash),
            head=head,
            path=tuple(inclusion_path(leaf.index, head.tree_size, nodes)),
        )
        for event_id, leaf in ((event_id, leaves[event_id]) for event_id in event_ids)
    ]


def consistency_proof(first_size: int, second_size: int | None = None) -> ConsistencyProof:
    """Proof that the log of the head of ``second_size`` (the newest by default) begins with that of ``first_size``.

    Raises:
        NoProof: there is no such head.
        ValueError: the first one is the larger one.
    """
    first, second = _head(first_size), _head(second_size)
    wanted: dict[tuple[int, int], None] = {}
    consistency_path(first.tree_size, second.tree_size, _noting(wanted))
    nodes = StoredNodes()
    nodes.load(wanted)
    return ConsistencyProof(first, second, tuple(consistency_path(first.tree_size, second.tree_size, nodes)))


def stored_frontier(size: int) -> Frontier:
    """The right edge of the tree over the first ``size`` leaves, from the stored nodes.

    Raises:
        NoProof: a leaf or node of it is missing.
    """
    wanted: dict[tuple[int, int], None] = {}
    Frontier.of_tree(size, _noting(wanted))
    nodes = StoredNodes()
    nodes.load(wanted)
    return Frontier.of_tree(size, nodes)


class StoredNodes:
    """Reads perfect nodes of the stored tree; those below the lowest stored level are put together from leaves."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bytes] = {}

    def load(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Read these (level, index) with one query for the nodes and one for the leaves.

        Raises:
            NoProof: a leaf or node is missing.
        """
        high = [key for key in wanted if key not in self._known and key[0] >= LOWEST_STORED_LEVEL]
        low = [key for key in wanted if key not in self._known and key[0] < LOWEST_STORED_LEVEL]
        if high:
            places = reduce(operator.or_, (Q(level=level, index=index) for level, index in high))
            for level, index, entry in AuditNode.objects.filter(places).values_list("level", "index", "hash"):
                self._known[level, index] = bytes(entry)
        if low:
            self._load_from_leaves(low)
        missing = [key for key in (*high, *low) if key not in self._known]
        if missing:
            raise NoProof(f"the stored tree has no node {missing[0]} (level, index)")

    def __call__(self, level: int, index: int) -> bytes:
        """Hash of the perfect node; read on its own where it was not loaded.

        Raises:
            NoProof: it is missing.
        """
        if (level, index) not in self._known:
            self.load([(level, index)])
        return self._known[level, index]

    def _load_from_leaves(self, wanted: Sequence[tuple[int, int]]) -> None:
        ranges = reduce(
            operator.or_, (Q(index__gte=index << level, index__lt=(index + 1) << level) for level, index in wanted)
        )
        found = AuditLeaf.objects.filter(ranges).order_by().values_list("index", "leaf_hash")
        leaves = {index: bytes(entry) for index, entry in found}
        for level, index in wanted:
            frontier = Frontier()
            for place in range(index << level, (index + 1) << level):
                if place not in leaves:
                    break
                frontier.append(leaves[place])
            else:
                self._known[level, index] = frontier.root()


def _noting(wanted: dict[tuple[int, int], None]) -> NodeReader:
    def note(level: int, index: int) -> bytes:
        wanted[level, index] = None
        return bytes(HASH_BYTES)

    return note


def _head(tree_size: int | None) -> AuditHead:
    heads = AuditHead.objects.select_related("key").order_by("-tree_size")
    head = heads.first() if tree_size is None else heads.filter(tree_size=tree_size).first()
    if head is None:
        raise NoProof("no head was signed yet" if tree_size is None else f"there is no head of {tree_size} events")
    return head
