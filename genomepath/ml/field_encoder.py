"""The transformer over the fields of a record, computed on its real tokens alone.

B records of a batch, T tokens of the longest, N tokens that are computed, E = 384 embedding dimensions, W width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from genomepath.ml.config import ModelConfig
from genomepath.ml.dropout import Dropout
from genomepath.ml.embedding import EMBEDDING_SIZE


@dataclass(frozen=True)
class TokenLayout:
    """To which records the flat tokens of a batch belong.

    Records of one length stand together, so that each group is a dense array: attention within it needs no mask, and no
    padding is computed or moved. Where shapes must not depend on data (ONNX), one group holds the batch as it is.

    Attributes:
        groups: number of records and tokens a record of each group, in the order of the flat tokens.
        places: int64 [N], the place of each flat token among the B x T of the batch; None for the batch as it is.
        rows: int64 [B], the place of each record among those of the groups; None for the batch as it is.
        mask: bool [B, T]; None where the groups hold real tokens alone.
    """

    groups: tuple[tuple[int, int], ...]
    places: Tensor | None = None
    rows: Tensor | None = None
    mask: Tensor | None = None

    @classmethod
    def of(cls, mask: Tensor, *, packed: bool) -> TokenLayout:
        """The layout of a batch by its ``mask`` bool [B, T]; ``packed`` leaves the padding out."""
        if not packed:
            return cls(((mask.shape[0], mask.shape[1]),), mask=mask)
        lengths = mask.sum(dim=1)
        order = lengths.argsort(stable=True)
        records, tokens = mask[order].nonzero(as_tuple=True)
        sizes, counts = torch.unique_consecutive(lengths[order], return_counts=True)
        groups = tuple(zip(counts.tolist(), sizes.tolist(), strict=True))
        return cls(groups, places=order[records] * mask.shape[1] + tokens, rows=order.argsort())

    def take(self, batch: Tensor) -> Tensor:
        """Flat tokens [N, ...] of a batch [B, T, ...]."""
        flat = batch.flatten(0, 1)
        return flat if self.places is None else flat.index_select(0, self.places)

    def split(self, flat: Tensor) -> list[Tensor]:
        """Flat tokens [N, X] group by group, each [records, tokens, X]."""
        parts = (
            torch.split(flat, [records * tokens for records, tokens in self.groups])
            if self.places is not None
            else (flat,)
        )
        return [part.view(*group, part.shape[1]) for part, group in zip(parts, self.groups, strict=True)]

    def mean(self, flat: Tensor) -> Tensor:
        """Mean over the real tokens of each record, [B, X], of flat tokens [N, X]; every record has at least one."""
        if self.mask is None:
            means = torch.cat([part.mean(dim=1) for part in self.split(flat)])
            return means if self.rows is None else means.index_select(0, self.rows)
        weights = self.mask.to(flat.dtype)
        return (self.split(flat)[0] * weights.unsqueeze(-1)).sum(dim=1) / weights.sum(dim=1, keepdim=True)


@dataclass(frozen=True)
class Encoded:
    """Output of a field encoder: flat ``tokens`` [N, W] in their ``layout``, and ``pooled`` [B, W], their mean a record."""

    tokens: Tensor
    pooled: Tensor
    layout: TokenLayout


class FieldEncoder(nn.Module):
    """Token embeddings projected to the width, a slot embedding, then transformer layers (pre-norm).

    Padding is not computed, unless ``packed`` is False (for ONNX). Both ways give the same result.
    """

    def __init__(self, config: ModelConfig, slots: int) -> None:
        super().__init__()
        self.packed = True
        self.projection = nn.Linear(EMBEDDING_SIZE, config.width)
        self.slots = nn.Embedding(slots, config.width)
        nn.init.normal_(self.slots.weight, std=0.02)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = Dropout(config.dropout)

    def forward(self, tokens: Tensor, slots: Tensor, mask: Tensor) -> Encoded:
        """Encode ``tokens`` [B, T, E] with ``slots`` int64 [B, T] and ``mask`` bool [B, T]."""
        layout = TokenLayout.of(mask, packed=self.packed)
        hidden = self.dropout(self.projection(layout.take(tokens)) + self.slots(layout.take(slots)))
        for layer in self.layers:
            hidden = layer(hidden, layout)
        hidden = self.norm(hidden)
        return Encoded(tokens=hidden, pooled=layout.mean(hidden), layout=layout)


class EncoderLayer(nn.Module):
    """One pre-norm transformer layer over flat tokens [N, W]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.expand = nn.Linear(config.width, config.feedforward)
        self.contract = nn.Linear(config.feedforward, config.width)
        self.dropout = Dropout(config.dropout)

    def forward(self, hidden: Tensor, layout: TokenLayout) -> Tensor:
        groups = layout.split(self.qkv(self.attention_norm(hidden)))
        mixed = torch.cat([self._attend(group, layout.mask) for group in groups])
        hidden = hidden + self.dropout(self.out(mixed))
        inner = self.dropout(functional.gelu(self.expand(self.feedforward_norm(hidden))))
        result: Tensor = hidden + self.dropout(self.contract(inner))
        return result

    def _attend(self, group: Tensor, mask: Tensor | None) -> Tensor:
        """What the tokens of a group of records take from each other, flat, from ``group`` [records, tokens, 3 W]."""
        records, length, _ = group.shape
        query, key, value = group.view(records, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        # Written out: on the CPU the fused kernel takes several times as long for records of some ten tokens.
        weights = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            weights = weights.masked_fill(~mask[:, None, None, :], float("-inf"))
        mixed = weights.softmax(dim=-1) @ value
        return mixed.transpose(1, 2).reshape(records * length, -1)
