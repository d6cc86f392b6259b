"""Proofs come from the stored tree, and hold for the signed heads alone."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ethics.audit.proofs import NoProof, consistency_proof, inclusion_proof, inclusion_proofs, stored_frontier
from ethics.audit.tree import Frontier, leaf_hash
from ethics.models import AuditHead, AuditLeaf, AuditNode, AuditSigningKey
from ethics.models.audit_tree import LOWEST_STORED_LEVEL

pytestmark = pytest.mark.django_db
SIZES = (1, 2, 255, 256, 257, 700, 1024, 1100)


@pytest.fixture
def stored_tree() -> list[uuid.UUID]:
    """A tree with heads of several sizes; gives the ids of its events, which exist as leaves alone."""
    key = AuditSigningKey.objects.create(
        key_id="0" * 16, public_key=bytes(32), created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    events = [uuid.UUID(int=number) for number in range(SIZES[-1])]
    frontier, nodes, heads = Frontier(), [], []
    for number, event in enumerate(events):
        nodes += frontier.append(leaf_hash(event.bytes))
        if number + 1 in SIZES:
            heads.append(
                AuditHead(
                    tree_size=number + 1,
                    root_hash=frontier.root(),
                    signed_at=key.created_at,
                    key=key,
                    signature=bytes(64),
                )
            )
    AuditLeaf.objects.bulk_create(
        AuditLeaf(index=number, event_id=event, leaf_hash=leaf_hash(event.bytes)) for number, event in enumerate(events)
    )
    AuditNode.objects.bulk_create(
        AuditNode(level=level, index=index, hash=entry) for level, index, entry in nodes if level >= LOWEST_STORED_LEVEL
    )
    AuditHead.objects.bulk_create(heads)
    return events


@pytest.mark.parametrize("size", SIZES)
def test_every_place_of_a_head_is_proved(size: int, stored_tree: list[uuid.UUID]) -> None:
    proofs = inclusion_proofs(stored_tree[:size], tree_size=size)
    assert [proof.index for proof in proofs] == list(range(size))
    assert all(proof.holds() for proof in proofs)


def test_a_proof_leads_to_the_newest_head_unless_another_is_asked_for(stored_tree: list[uuid.UUID]) -> None:
    assert inclusion_proof(stored_tree[3]).head.tree_size == SIZES[-1]
    assert inclusion_proof(stored_tree[3], tree_size=700).head.tree_size == 700


@pytest.mark.parametrize("first", SIZES)
def test_of_two_heads_the_later_continues_the_earlier(first: int, stored_tree: list[uuid.UUID]) -> None:
    assert all(consistency_proof(first, second).holds() for second in SIZES if second >= first)


def test_no_proof_leads_from_a_later_head_to_an_earlier(stored_tree: list[uuid.UUID]) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        consistency_proof(257, 256)


def test_a_proof_of_a_changed_leaf_does_not_hold(stored_tree: list[uuid.UUID]) -> None:
    AuditLeaf.objects.create(index=SIZES[-1], event_id=uuid.UUID(int=9999), leaf_hash=leaf_hash(b"added"))
    head = AuditHead.objects.get(tree_size=SIZES[-1])
    AuditHead.objects.create(
        tree_size=SIZES[-1] + 1,
        root_hash=head.root_hash,
        signed_at=head.signed_at,
        key=head.key,
        signature=head.signature,
    )
    assert not inclusion_proof(uuid.UUID(int=9999)).holds()
    assert not consistency_proof(SIZES[-1], SIZES[-1] + 1).holds()


def test_a_proof_takes_four_queries_whatever_it_proves(stored_tree: list[uuid.UUID]) -> None:
    with CaptureQueriesContext(connection) as queries:
        inclusion_proof(stored_tree[300])
    assert len(queries) == 4
    with CaptureQueriesContext(connection) as queries:
        inclusion_proofs(stored_tree[:600])
    assert len(queries) == 4


@pytest.mark.parametrize("size", SIZES)
def test_the_edge_of_the_stored_tree_gives_the_root_of_its_head(size: int, stored_tree: list[uuid.UUID]) -> None:
    assert stored_frontier(size).root() == bytes(AuditHead.objects.get(tree_size=size).root_hash)


def test_what_is_not_sealed_has_no_proof(stored_tree: list[uuid.UUID]) -> None:
    with pytest.raises(NoProof, match="is not sealed"):
        inclusion_proof(uuid.UUID(int=5000))
    with pytest.raises(NoProof, match="sealed after the head of 257 events"):
        inclusion_proof(stored_tree[257], tree_size=257)
    with pytest.raises(NoProof, match="no head of 300 events"):
        inclusion_proof(stored_tree[0], tree_size=300)
    with pytest.raises(NoProof, match="no head of 300 events"):
        consistency_proof(300)


def test_a_log_without_heads_has_no_proof() -> None:
    with pytest.raises(NoProof, match="no head was signed"):
        inclusion_proof(uuid.UUID(int=1))


def test_a_tree_that_lacks_a_leaf_gives_no_edge(stored_tree: list[uuid.UUID]) -> None:
    with pytest.raises(NoProof, match="no node"):
        stored_frontier(SIZES[-1] + 1)
