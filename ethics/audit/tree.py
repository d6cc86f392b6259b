"""Merkle tree hashing by RFC 9162 (SHA-256), as pure functions over hashes and node readers.

A leaf is the hash of an event's canonical bytes; the root of the tree stands for every event and its place. A *perfect*
node (level, index) is the root over the ``2**level`` leaves that start at ``index << level``; it never changes once these
leaves exist, so that it can be stored. Every other subtree root is put together from perfect ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, 2.1.1)."""

Node = tuple[int, int, bytes]
"""A perfect node: level, index at that level, hash."""

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the perfect node (level, index); level 0 are the leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || data) (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right) (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that is needed to append leaves and to know the root (RFC 9162, 2.1.2).

    It holds one hash for each bit set in ``size``: the roots of the perfect subtrees, from left (largest) to right.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Continue from a stored edge.

        Raises:
            ValueError: the number of hashes isn't the number of bits set in ``size``, or a hash isn't 32 bytes long.
        """
        if size < 0 or len(hashes) != size.bit_count() or any(len(entry) != HASH_BYTES for entry in hashes):
            raise ValueError(f"a tree of {size} leaves has no frontier of {len(hashes)} such hashes")
        self._size = size
        self._hashes = list(hashes)

    @classmethod
    def of_tree(cls, size: int, read: NodeReader) -> Frontier:
        """The right edge of a stored tree, from its perfect nodes."""
        hashes, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                hashes.append(read(level, start >> level))
                start += 1 << level
        return cls(size, hashes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, from left to right."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> list[Node]:
        """Append a leaf hash; returns the inner perfect nodes that it completes, lowest first."""
        completed: list[Node] = []
        hashes, size, level, entry = self._hashes, self._size, 0, leaf
        while size >> level & 1:
            entry = sha256(b"\x01" + hashes.pop() + entry).digest()
            level += 1
            completed.append((level, size >> level, entry))
        hashes.append(entry)
        self._size = size + 1
        return completed

    def root(self) -> bytes:
        """Root over all leaves (RFC 9162, 2.1.1)."""
        if not self._hashes:
            return EMPTY_ROOT
        entry = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            entry = node_hash(left, entry)
        return entry


def subtree_root(start: int, end: int, read: NodeReader) -> bytes:
    """MTH(D[start:end]) (RFC 9162, 2.1.1) for the subtrees that proofs consist of: ``start`` lies on a multiple of the
    smallest power of two that holds ``end - start`` leaves."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(count)
    return node_hash(subtree_root(start, middle, read), subtree_root(middle, end, read))


def inclusion_path(index: int, size: int, read: NodeReader) -> list[bytes]:
    """PATH(index, D_size): the siblings from the leaf up to the root (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: the tree of that size has no leaf of that index.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree_root(middle, end, read))
            end = middle
        else:
            path.append(subtree_root(start, middle, read))
            start = middle
    path.reverse()
    return path


def consistency_path(first: int, second: int, read: NodeReader) -> list[bytes]:
    """PROOF(first, D_second): shows that the tree of ``first`` leaves is the beginning of the one of ``second`` leaves
    (RFC 9162, 2.1.4.1). Empty where both have the same size.

    Raises:
        ValueError: unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise ValueError(f"no consistency proof leads from {first} leaves to {second}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(subtree_root(middle, end, read))
            end = middle
        else:
            path.append(subtree_root(start, middle, read))
            start, whole = middle, False
    if not whole:
        path.append(subtree_root(start, end, read))
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf hash at ``index`` to the root over ``size`` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, entry = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            entry = node_hash(sibling, entry)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            entry = node_hash(entry, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and entry == root


def verify_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether the path shows that the second tree begins with the first one (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    if not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root, *path]
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first_entry = second_entry = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first_entry, second_entry = node_hash(sibling, first_entry), node_hash(sibling, second_entry)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second_entry = node_hash(second_entry, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first_entry == first_root and second_entry == second_root


def _split(count: int) -> int:
    """The largest power of two smaller than ``count`` (RFC 9162, 2.1.1)."""
    return 1 << (count - 1).bit_length() - 1
