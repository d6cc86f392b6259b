"""Inclusion proofs for many events in the order of the tree: each block of leaves is read and hashed once."""

from __future__ import annotations

from functools import lru_cache

from ethics.audit.proofs import NoProof
from ethics.audit.tree import inclusion_path, node_hash
from ethics.models import AuditLeaf, AuditNode
from ethics.models.audit_tree import LOWEST_STORED_LEVEL

_BLOCK = 1 << LOWEST_STORED_LEVEL
_BLOCKS_KEPT = 4
_NODES_KEPT = 1 << 16

Levels = list[list[bytes]]
"""The perfect nodes of one block: level 0 holds its leaves, the last level its root where the block is full."""


class BlockwiseProofs:
    """Proofs to the root over ``tree_size`` leaves. Fast for neighbours; memory does not grow with the log."""

    def __init__(self, tree_size: int) -> None:
        self._tree_size = tree_size
        self._block = lru_cache(_BLOCKS_KEPT)(self._read_block)
        self._high = lru_cache(_NODES_KEPT)(_read_node)
        self._above = lru_cache(_BLOCKS_KEPT)(self._path_above)

    def leaf(self, index: int) -> bytes:
        """The hash of the leaf.

        Raises:
            NoProof: the tree lacks the leaf, or another one of its block.
        """
        return self._node(0, index)

    def path(self, index: int) -> list[bytes]:
        """The siblings from the leaf up to the root.

        Raises:
            NoProof: a leaf or a node of the stored tree is missing.
        """
        block, offset = divmod(index, _BLOCK)
        if (block + 1) * _BLOCK > self._tree_size:
            return inclusion_path(index, self._tree_size, self._node)
        levels = self._block(block)
        inside = [levels[level][offset >> level ^ 1] for level in range(LOWEST_STORED_LEVEL)]
        return inside + self._above(block)

    def _path_above(self, block: int) -> list[bytes]:
        """The part of a path that all leaves of a full block share."""
        return inclusion_path(block * _BLOCK, self._tree_size, self._node)[LOWEST_STORED_LEVEL:]

    def _node(self, level: int, index: int) -> bytes:
        if level >= LOWEST_STORED_LEVEL:
            return self._high(level, index)
        in_block = LOWEST_STORED_LEVEL - level
        return self._block(index >> in_block)[level][index & (1 << in_block) - 1]

    def _read_block(self, block: int) -> Levels:
        first, end = block * _BLOCK, min((block + 1) * _BLOCK, self._tree_size)
        leaves = AuditLeaf.objects.filter(index__gte=first, index__lt=end).order_by("index")
        nodes = [bytes(leaf) for leaf in leaves.values_list("leaf_hash", flat=True)]
        if len(nodes) != end - first:
            raise NoProof(f"the stored tree lacks one of the leaves {first} to {end - 1}")
        levels = [nodes]
        for _ in range(LOWEST_STORED_LEVEL):
            nodes = [node_hash(nodes[place], nodes[place + 1]) for place in range(0, len(nodes) - 1, 2)]
            levels.append(nodes)
        return levels


def _read_node(level: int, index: int) -> bytes:
    found = AuditNode.objects.filter(level=level, index=index).values_list("hash", flat=True).first()
    if found is None:
        raise NoProof(f"the stored tree has no node {level, index} (level, index)")
    return bytes(found)
