"""The proofs of a pack, read block by block: the same as those of the tree itself, and refused where the tree has gaps."""

from __future__ import annotations

import uuid

import pytest

from ethics.audit.pack_proofs import BlockwiseProofs
from ethics.audit.proofs import NoProof
from ethics.audit.tree import Frontier, inclusion_path, leaf_hash, verify_inclusion
from ethics.models import AuditLeaf, AuditNode

pytestmark = pytest.mark.django_db
LEAVES = [leaf_hash(str(number).encode()) for number in range(1300)]


def store(size: int) -> dict[tuple[int, int], bytes]:
    """The tree of the first leaves, as the sealer stores it; returns all perfect nodes."""
    frontier, nodes = Frontier(), {}
    for index, leaf in enumerate(LEAVES[:size]):
        nodes[0, index] = leaf
        nodes |= {(level, place): entry for level, place, entry in frontier.append(leaf)}
    AuditLeaf.objects.bulk_create(
        AuditLeaf(index=index, event_id=uuid.uuid4(), leaf_hash=LEAVES[index]) for index in range(size)
    )
    AuditNode.objects.bulk_create(
        AuditNode(level=level, index=index, hash=entry) for (level, index), entry in nodes.items() if level >= 8
    )
    return nodes


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 700, 1024, 1025, 1300])
def test_path_is_the_one_of_the_tree(size: int) -> None:
    nodes = store(size)
    proofs = BlockwiseProofs(size)
    for index in sorted({*range(0, size, 37), 0, size - 1, size // 2, max(0, size - 257)}):
        expected = inclusion_path(index, size, lambda level, place: nodes[level, place])
        assert proofs.path(index) == expected
        assert proofs.leaf(index) == LEAVES[index]


def test_paths_lead_to_an_earlier_root_than_the_newest() -> None:
    nodes = store(1300)
    root = Frontier.of_tree(600, lambda level, place: nodes[level, place]).root()
    proofs = BlockwiseProofs(600)
    assert all(verify_inclusion(LEAVES[index], index, 600, proofs.path(index), root) for index in (0, 300, 512, 599))


def test_neighbours_are_read_once(django_assert_max_num_queries) -> None:
    store(1300)
    proofs = BlockwiseProofs(1300)
    with django_assert_max_num_queries(14):
        for index in range(1300):
            proofs.path(index)


def test_missing_leaf_is_told() -> None:
    store(300)
    with pytest.raises(NoProof, match="lacks one of the leaves 256 to 511"):
        BlockwiseProofs(600).path(300)


def test_missing_node_is_told() -> None:
    AuditLeaf.objects.bulk_create(
        AuditLeaf(index=index, event_id=uuid.uuid4(), leaf_hash=LEAVES[index]) for index in range(600)
    )
    with pytest.raises(NoProof, match="has no node"):
        BlockwiseProofs(600).path(1)
