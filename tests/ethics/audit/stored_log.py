"""What the tests of the sealer ask of a log: events to seal, and whether the stored tree is whole."""

from __future__ import annotations

from ethics import audit
from ethics.audit.heads_file import FileHead, parse_head, read_lines
from ethics.audit.signing import head_bytes, log_id, signature_is_valid
from ethics.audit.tree import Frontier, leaf_hash
from ethics.models import AuditEvent, AuditHead, AuditLeaf, AuditNode


def write_events(number: int) -> list[AuditEvent]:
    """Synthetic events."""
    return [
        audit.record("sacred.viewed", subjects=[f"item-{place}"], communities=["synthetic"]) for place in range(number)
    ]


def file_heads() -> list[FileHead]:
    """The heads file, read whole."""
    return [parse_head(line) for _, line in read_lines()]


def assert_log_is_whole() -> None:
    """Every event has one leaf and every head signs the tree of its leaves; the heads file says the same."""
    events = dict(AuditEvent.objects.values_list("event_id", "canonical"))
    leaves = list(AuditLeaf.objects.order_by("index"))
    assert [leaf.index for leaf in leaves] == list(range(len(events)))
    assert {leaf.event_id for leaf in leaves} == set(events)
    heads = {head.tree_size: head for head in AuditHead.objects.select_related("key")}
    frontier = Frontier()
    nodes: dict[tuple[int, int], bytes] = {}
    for leaf in leaves:
        assert bytes(leaf.leaf_hash) == leaf_hash(events[leaf.event_id].encode())
        nodes |= {(level, index): entry for level, index, entry in frontier.append(bytes(leaf.leaf_hash)) if level >= 8}
        head = heads.pop(frontier.size, None)
        if head is not None:
            _assert_signed(head, frontier.root())
    assert heads == {}
    assert {(node.level, node.index): bytes(node.hash) for node in AuditNode.objects.all()} == nodes
    stored = [FileHead.of(head, log_id=log_id()) for head in AuditHead.objects.order_by("tree_size")]
    assert file_heads() == stored
    assert stored[-1].tree_size == len(events)


def _assert_signed(head: AuditHead, root: bytes) -> None:
    assert bytes(head.root_hash) == root
    signed = head_bytes(log_id=log_id(), tree_size=head.tree_size, root_hash=root, signed_at=head.signed_at)
    assert signature_is_valid(bytes(head.key.public_key), signed, bytes(head.signature))
