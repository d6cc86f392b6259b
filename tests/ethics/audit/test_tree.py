"""The Merkle tree against an independent implementation (pymerkle), for all sizes from 0 to 1,000."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from pymerkle import ConsistencyProof, InmemoryTree

from ethics.audit.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 1000
OTHER = leaf_hash(b"another")


@cache
def _independent() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for number in range(LARGEST):
        tree.append_entry(_data(number))
    return tree


@cache
def _root(size: int) -> bytes:
    root: bytes = _independent().get_root(size)
    return root


@cache
def _nodes() -> dict[tuple[int, int], bytes]:
    nodes = {}
    frontier = Frontier()
    for number in range(LARGEST):
        leaf = leaf_hash(_data(number))
        nodes[0, number] = leaf
        nodes.update({(level, index): entry for level, index, entry in frontier.append(leaf)})
    return nodes


def _data(number: int) -> bytes:
    return f"event {number}".encode()


def _read(level: int, index: int) -> bytes:
    return _nodes()[level, index]


def _path_by_rfc_9162(proof: ConsistencyProof) -> list[bytes]:
    """pymerkle splits the subtree after the first tree down to its first leaf and always names its own start; RFC 9162
    gives that subtree as one hash, and leaves out the start where it is the whole first tree."""
    after, used = proof.path[0], 1
    while not proof.subset[used]:
        after, used = node_hash(after, proof.path[used]), used + 1
    start = [] if proof.prior_size.bit_count() == 1 else [proof.path[used]]
    return [*start, after, *proof.path[used + 1 :]]


def _places(size: int, every: bool) -> Iterator[int]:
    """Numbers from 1 to ``size``: all, or those around the powers of two, the ends and some between."""
    chosen = {1, 2, 3, size // 3, size // 2, size - 1, size}
    chosen |= {(1 << level) + step for level in range(10) for step in (-1, 0, 1)}
    return (place for place in range(1, size + 1) if every or place in chosen)


EVERY = [pytest.param(False, id="sampled"), pytest.param(True, id="every", marks=pytest.mark.slow)]


def test_root_of_every_size_is_that_of_the_independent_tree() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == _root(0)
    for size in range(1, LARGEST + 1):
        frontier.append(leaf_hash(_data(size - 1)))
        assert frontier.root() == _root(size)


@pytest.mark.parametrize("every", EVERY)
def test_inclusion_paths_are_those_of_the_independent_tree(every: bool) -> None:
    for size in range(1, LARGEST + 1):
        for place in _places(size, every):
            path = inclusion_path(place - 1, size, _read)
            assert path == _independent().prove_inclusion(place, size).path[1:]
            assert verify_inclusion(_read(0, place - 1), place - 1, size, path, _root(size))


@pytest.mark.parametrize("every", EVERY)
def test_consistency_paths_are_those_of_the_independent_tree(every: bool) -> None:
    for size in range(1, LARGEST + 1):
        for first in _places(size, every):
            path = consistency_path(first, size, _read)
            if first < size:
                assert path == _path_by_rfc_9162(_independent().prove_consistency(first, size))
            assert verify_consistency(first, size, path, _root(first), _root(size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 1000])
def test_an_edge_taken_from_stored_nodes_grows_like_the_one_it_was_taken_from(size: int) -> None:
    taken = Frontier.of_tree(size, _read)
    assert (taken.size, taken.root()) == (size, _root(size))
    again = Frontier(taken.size, taken.hashes)
    completed = again.append(OTHER)
    assert again.root() != taken.root()
    assert len(completed) == (size ^ (size + 1)).bit_length() - 1


@pytest.mark.parametrize("size", [2, 3, 8, 100, 257, 1000])
def test_an_inclusion_proof_holds_for_nothing_else(size: int) -> None:
    for index in {0, 1, size // 2, size - 1}:
        path, leaf, root = inclusion_path(index, size, _read), _read(0, index), _root(size)
        assert not verify_inclusion(OTHER, index, size, path, root)
        assert not verify_inclusion(leaf, index ^ 1, size, path, root)
        assert not verify_inclusion(leaf, size, size, path, root)
        assert not verify_inclusion(leaf, -1, size, path, root)
        assert not verify_inclusion(leaf, index, size, path[:-1], root)
        assert not verify_inclusion(leaf, index, size, path[1:], root)
        assert not verify_inclusion(leaf, index, size, [*path, OTHER], root)
        assert not verify_inclusion(leaf, index, size, [OTHER, *path[1:]], root)
        assert not verify_inclusion(leaf, index, size, path, OTHER)
        assert not verify_inclusion(leaf, index, size, path, _root(size - 1))


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 3), (3, 8), (4, 7), (255, 257), (256, 1000), (999, 1000)])
def test_a_consistency_proof_holds_for_nothing_else(first: int, second: int) -> None:
    path, first_root, second_root = consistency_path(first, second, _read), _root(first), _root(second)
    assert not verify_consistency(first, second, path, OTHER, second_root)
    assert not verify_consistency(first, second, path, first_root, OTHER)
    assert not verify_consistency(first, second, path, second_root, first_root)
    assert not verify_consistency(second, first, path, first_root, second_root)
    assert not verify_consistency(0, second, path, first_root, second_root)
    assert not verify_consistency(first, second, path[:-1], first_root, second_root)
    assert not verify_consistency(first, second, path[1:], first_root, second_root)
    assert not verify_consistency(first, second, [*path, OTHER], first_root, second_root)
    assert not verify_consistency(first, second, [OTHER, *path[1:]], first_root, second_root)
    assert not verify_consistency(first, second, [], first_root, second_root)


def test_a_tree_is_consistent_with_itself_alone() -> None:
    assert verify_consistency(5, 5, [], _root(5), _root(5))
    assert not verify_consistency(5, 5, [OTHER], _root(5), _root(5))
    assert not verify_consistency(5, 5, [], _root(5), _root(6))


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_path_leads_to_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_path(index, size, _read)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (-1, 3)])
def test_no_consistency_path_leads_backwards_or_from_nothing(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        consistency_path(first, second, _read)


@pytest.mark.parametrize(("size", "hashes"), [(3, [OTHER]), (1, [b"short"]), (-1, [])])
def test_an_edge_that_no_tree_has_is_refused(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ValueError, match="no frontier"):
        Frontier(size, hashes)
