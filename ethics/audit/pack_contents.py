"""What goes into an evidence pack: the sealed events that pass the filters, their proofs, heads, keys and disclosures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from ethics.audit.canonical import canonical_text
from ethics.audit.filters import AuditFilters
from ethics.audit.heads_file import FileHead
from ethics.audit.pack_proofs import BlockwiseProofs
from ethics.audit.proofs import consistency_proof
from ethics.audit.signing import moment_text
from ethics.audit.tree import leaf_hash
from ethics.models import AuditEvent, AuditHead, AuditIdentity, AuditLeaf, AuditReason, AuditSigningKey

EVENTS_AT_ONCE = 256
MOST_HEADS = 500


class PackError(ValueError):
    """No pack can be made of this, and why."""


@dataclass
class Tally:
    """What the events of a pack are, counted while they pass."""

    events: int = 0
    types: Counter[str] = field(default_factory=Counter)
    communities: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    actors: set[str] = field(default_factory=set)
    reasons: int = 0
    first_leaf: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, event: AuditEvent, leaf: int) -> None:
        """Count one event."""
        if self.events == 0:
            self.first_leaf = leaf
        self.events += 1
        self.types[event.event_type] += 1
        self.communities.update(event.community_ids)
        if event.client_id:
            self.clients[event.client_id] += 1
        reasons = event.details.get("reasons")
        if isinstance(reasons, list):
            self.refusals.update(reasons)
        self.actors.add(event.actor_id)
        self.first = min(self.first or event.occurred_at, event.occurred_at)
        self.last = max(self.last or event.occurred_at, event.occurred_at)


@dataclass(frozen=True)
class PackedEvent:
    """One event as the pack's files hold it; a line has its end."""

    line: bytes
    proof: bytes
    reason: bytes


def sealed_events(filters: AuditFilters, tree_size: int) -> QuerySet[AuditEvent]:
    """The events that pass, among the first ``tree_size`` leaves, in the order of the tree; ``place`` is the leaf."""
    place = AuditLeaf.objects.filter(event_id=OuterRef("event_id"), index__lt=tree_size).values("index")
    events = filters.apply(AuditEvent.objects.all()).annotate(place=Subquery(place))
    return events.filter(place__isnull=False).order_by("place")


def packed_events(filters: AuditFilters, head: AuditHead, tally: Tally, *, disclose: bool) -> Iterator[PackedEvent]:
    """The events with their proofs to one head; memory holds a few hundred of them at a time.

    Raises:
        PackError: an event is not what its leaf stands for.
    """
    proofs, batch = BlockwiseProofs(head.tree_size), []
    for event in sealed_events(filters, head.tree_size).iterator(chunk_size=EVENTS_AT_ONCE):
        batch.append(event)
        if len(batch) == EVENTS_AT_ONCE:
            yield from _packed(batch, proofs, tally, disclose=disclose)
            batch = []
    if batch:
        yield from _packed(batch, proofs, tally, disclose=disclose)


def _packed(batch: list[Any], proofs: BlockwiseProofs, tally: Tally, *, disclose: bool) -> Iterator[PackedEvent]:
    reasons = _reasons(batch) if disclose else {}
    for event in batch:
        text = event.canonical.encode()
        if leaf_hash(text) != proofs.leaf(event.place):
            raise PackError(
                f"Event {event.event_id} is not what leaf {event.place} of the log stands for: it was changed. "
                "Run verify_audit."
            )
        tally.add(event, event.place)
        reason = reasons.get(event.event_id, b"")
        tally.reasons += bool(reason)
        path = [entry.hex() for entry in proofs.path(event.place)]
        yield PackedEvent(text + b"\n", json_line({"leaf_index": event.place, "path": path}), reason)


def _reasons(batch: list[AuditEvent]) -> dict[Any, bytes]:
    commitments = {event.event_id: event.reason_commitment for event in batch if event.reason_commitment}
    kept = AuditReason.objects.filter(pk__in=list(commitments), shredded_at__isnull=True)
    return {
        reason.event_id: json_line(
            {
                "kind": "reason",
                "event_id": str(reason.event_id),
                "commitment": commitments[reason.event_id],
                "salt": bytes(reason.salt or b"").hex(),
                "text": reason.text,
            }
        )
        for reason in kept
    }


def disclosed_actors(commitments: set[str]) -> Iterator[bytes]:
    """A line for each actor whose name was not destroyed."""
    kept = AuditIdentity.objects.filter(commitment__in=commitments, shredded_at__isnull=True).order_by("commitment")
    for identity in kept.iterator(chunk_size=1000):
        salt = bytes(identity.salt or b"").hex()
        yield json_line({"kind": "actor", "commitment": identity.commitment, "salt": salt, "text": identity.name})


def heads_in_scope(first_leaf: int, last: AuditHead) -> tuple[list[AuditHead], int]:
    """The signed heads from the first packed event on, and how many were left out.

    Above ``MOST_HEADS`` the first and the last stay and evenly spread ones between them: each proof of consistency
    spans what is left out.
    """
    scope = AuditHead.objects.filter(tree_size__gt=first_leaf, tree_size__lte=last.tree_size).select_related("key")
    scope = scope.order_by("tree_size")
    count = scope.count()
    if count <= MOST_HEADS:
        return list(scope), 0
    step = -(-count // (MOST_HEADS - 2))
    spread = scope.annotate(turn=F("pk") % step).filter(turn=0)[: MOST_HEADS - 2]
    heads = {head.tree_size: head for head in (*scope[:1], *spread, last)}
    return [heads[size] for size in sorted(heads)], count - len(heads)


def head_lines(heads: list[AuditHead], log_id: str) -> Iterator[bytes]:
    """A line for each signed head, as the heads file has it."""
    for head in heads:
        yield FileHead.of(head, log_id=log_id).line()


def consistency_lines(heads: list[AuditHead]) -> Iterator[bytes]:
    """A proof from each head to the next."""
    for place, head in enumerate(heads[1:]):
        proof = consistency_proof(heads[place].tree_size, head.tree_size)
        path = [entry.hex() for entry in proof.path]
        yield json_line({"first": proof.first.tree_size, "second": proof.second.tree_size, "path": path})


def key_lines() -> Iterator[bytes]:
    """A line for each public key with its endorsement by the key before."""
    for key in AuditSigningKey.objects.order_by("created_at"):
        yield json_line(
            {
                "key_id": key.key_id,
                "public_key": bytes(key.public_key).hex(),
                "created_at": moment_text(key.created_at),
                "endorsed_by": key.endorsed_by_id or "",
                "endorsement": bytes(key.endorsement or b"").hex(),
            }
        )


def json_line(record: dict[str, Any]) -> bytes:
    """Canonical JSON with the end of a line."""
    return canonical_text(record).encode() + b"\n"
