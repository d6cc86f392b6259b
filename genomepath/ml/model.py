"""The dual-tower transformer: two field encoders, a cross-attention bridge into a shared space, and two heads.

A logit is the sum of three parts: the head's, the cosine in the shared space, and the pair scorer's (late interaction and
link evidence). The bridge attends over the bank of all records of the other side and gets no label and no candidate: the
answer cannot reach the input.

B rows of a batch, T tokens a record, E = 384 embedding dimensions, W width, S bridge (shared space), P practices, G targets,
R = P x 3 practice-dose rows, F pair features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from genomepath.ml.config import ModelConfig
from genomepath.ml.embedding import EMBEDDING_SIZE
from genomepath.ml.fields import PRACTICE_SLOTS, TARGET_SLOTS
from genomepath.ml.pair_scorer import NEW_PRACTICE, NEW_TARGET, PairScorer
from genomepath.ml.snapshot import DOSES

_INITIAL_SHARED_SCALE = 10.0
_INITIAL_SHARED_BIAS = -5.0
_PACK_BELOW = 0.75
"""Share of real tokens in a batch under which computing the padding costs more than moving it away and back."""


@dataclass(frozen=True)
class Encoded:
    """Output of a field encoder: ``tokens`` [B, T, W], ``pooled`` [B, W] (mean over tokens), ``mask`` bool [B, T]."""

    tokens: Tensor
    pooled: Tensor
    mask: Tensor


class FieldEncoder(nn.Module):
    """Token embeddings projected to the width, a slot embedding, then transformer layers (pre-norm).

    In a batch with much padding the linear layers run on the real tokens alone, unless ``packed`` is False (for ONNX,
    where shapes must not depend on data). Both ways give the same result.
    """

    def __init__(self, config: ModelConfig, slots: int) -> None:
        super().__init__()
        self.packed = True
        self.projection = nn.Linear(EMBEDDING_SIZE, config.width)
        self.slots = nn.Embedding(slots, config.width)
        nn.init.normal_(self.slots.weight, std=0.02)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tensor, slots: Tensor, mask: Tensor) -> Encoded:
        """Encode ``tokens`` [B, T, E] with ``slots`` int64 [B, T] and ``mask`` bool [B, T]; padding comes out as 0."""
        batch, length = mask.shape
        pack = self.packed and float(mask.float().mean()) < _PACK_BELOW
        positions = mask.flatten().nonzero().squeeze(1) if pack else None
        hidden = self.projection(_take(tokens.flatten(0, 1), positions)) + self.slots(_take(slots.flatten(), positions))
        hidden = self.dropout(hidden)
        for layer in self.layers:
            hidden = layer(hidden, mask, positions)
        hidden = _spread(self.norm(hidden), positions, batch * length).view(batch, length, -1)
        hidden = hidden * mask.unsqueeze(-1)
        return Encoded(tokens=hidden, pooled=masked_mean(hidden, mask), mask=mask)


class EncoderLayer(nn.Module):
    """One pre-norm transformer layer over flat tokens [N, W] that belong to the positions of a [B, T] mask."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.feedforward_norm = nn.LayerNorm(config.width)
        self.expand = nn.Linear(config.width, config.feedforward)
        self.contract = nn.Linear(config.feedforward, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, mask: Tensor, positions: Tensor | None) -> Tensor:
        hidden = hidden + self.dropout(self.out(self._attend(self.attention_norm(hidden), mask, positions)))
        inner = self.dropout(functional.gelu(self.expand(self.feedforward_norm(hidden))))
        result: Tensor = hidden + self.dropout(self.contract(inner))
        return result

    def _attend(self, hidden: Tensor, mask: Tensor, positions: Tensor | None) -> Tensor:
        batch, length = mask.shape
        padded = _spread(self.qkv(hidden), positions, batch * length)
        query, key, value = padded.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        # Written out: on the CPU the fused kernel takes several times as long for records of some ten tokens.
        weights = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        weights = weights.masked_fill(~mask[:, None, None, :], float("-inf")).softmax(dim=-1)
        mixed = weights @ value
        return _take(mixed.transpose(1, 2).reshape(batch * length, -1), positions)


class CrossAttention(nn.Module):
    """Multi-head attention of a record's tokens [B, T, S] over a bank [N, S] of the other side."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.bridge_heads
        self.query = nn.Linear(config.bridge, config.bridge)
        self.key = nn.Linear(config.bridge, config.bridge)
        self.value = nn.Linear(config.bridge, config.bridge)
        self.out = nn.Linear(config.bridge, config.bridge)

    def forward(self, tokens: Tensor, bank: Tensor) -> Tensor:
        batch, length, size = tokens.shape
        query = self.query(tokens).view(batch * length, self.heads, -1).transpose(0, 1)
        key = self.key(bank).view(bank.shape[0], self.heads, -1).transpose(0, 1)
        value = self.value(bank).view(bank.shape[0], self.heads, -1).transpose(0, 1)
        weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(size // self.heads), dim=-1)
        mixed: Tensor = self.out((weights @ value).transpose(0, 1).flatten(1))
        return mixed.view(batch, length, size)


class DualTower(nn.Module):
    """The whole model; head widths follow the catalogue."""

    def __init__(self, config: ModelConfig, *, practices: int, targets: int) -> None:
        super().__init__()
        self.config = config
        self.practice_encoder = FieldEncoder(config, PRACTICE_SLOTS)
        self.target_encoder = FieldEncoder(config, TARGET_SLOTS)
        self.practice_to_shared = nn.Linear(config.width, config.bridge)
        self.target_to_shared = nn.Linear(config.width, config.bridge)
        self.practice_bridge = CrossAttention(config)
        self.target_bridge = CrossAttention(config)
        self.practice_bridge_norm = nn.LayerNorm(config.bridge)
        self.target_bridge_norm = nn.LayerNorm(config.bridge)
        self.tk_to_genomic_head = _head(config, targets)
        self.genomic_to_tk_head = _head(config, practices)
        self.pairs = PairScorer(practices, targets, texts=config.late_interaction, evidence=config.link_evidence)
        self.cosine_weights = nn.Parameter(torch.ones(2))
        self.shared_scale = nn.Parameter(torch.tensor(math.log(_INITIAL_SHARED_SCALE)))
        self.shared_bias = nn.Parameter(torch.tensor(_INITIAL_SHARED_BIAS))

    def practice_logits(self, practice: Encoded, target_bank: Tensor, pairs: Tensor) -> Tensor:
        """Logits [B, G] of practice rows for all targets; ``pairs`` [B, G, F] are their standardised pair features."""
        head = mean_for_new(self.tk_to_genomic(practice, target_bank), pairs[..., NEW_TARGET])
        return head + self.practice_cosines(practice.pooled, target_bank) + self.pairs.tk_to_genomic(pairs)

    def target_logits(self, target: Encoded, practice_bank: Tensor, pairs: Tensor) -> Tensor:
        """Logits [B, P] of targets for all practices; ``pairs`` [P, B, F] are their standardised pair features."""
        head = mean_for_new(self.genomic_to_tk(target, practice_bank), pairs[..., NEW_PRACTICE].T)
        return head + self.target_cosines(target.pooled, practice_bank) + self.pairs.genomic_to_tk(pairs)

    def practice_cosines(self, practices: Tensor, target_bank: Tensor) -> Tensor:
        """Weighted cosine [B, G] of practice rows [B, W] with targets [G, W] in the shared space."""
        return self.cosine_weights[0] * self.shared_practice(practices) @ self.shared_target(target_bank).T

    def target_cosines(self, targets: Tensor, practice_bank: Tensor) -> Tensor:
        """Weighted mean cosine [B, P] of targets [B, W] with the doses of each practice, bank [R, W]."""
        doses = self.shared_practice(practice_bank)
        practices = doses.view(-1, len(DOSES), doses.shape[1]).mean(dim=1)
        cosines: Tensor = self.cosine_weights[1] * self.shared_target(targets) @ practices.T
        return cosines

    def tk_to_genomic(self, practice: Encoded, target_bank: Tensor) -> Tensor:
        """Head logits [B, G] of practice rows, whose tokens attend over all target embeddings [G, W]."""
        tokens = self.practice_to_shared(practice.tokens)
        attended = self.practice_bridge(tokens, self.target_to_shared(target_bank))
        bridge = self.practice_bridge_norm(masked_mean(tokens + attended, practice.mask))
        logits: Tensor = self.tk_to_genomic_head(torch.cat([bridge, practice.pooled], dim=-1))
        return logits

    def genomic_to_tk(self, target: Encoded, practice_bank: Tensor) -> Tensor:
        """Head logits [B, P] of targets, whose tokens attend over all practice-dose embeddings [R, W]."""
        tokens = self.target_to_shared(target.tokens)
        attended = self.target_bridge(tokens, self.practice_to_shared(practice_bank))
        bridge = self.target_bridge_norm(masked_mean(tokens + attended, target.mask))
        logits: Tensor = self.genomic_to_tk_head(torch.cat([bridge, target.pooled], dim=-1))
        return logits

    def shared_practice(self, pooled: Tensor) -> Tensor:
        """Unit vectors [B, S] of practices in the shared space from their pooled encodings [B, W]."""
        return functional.normalize(self.practice_to_shared(pooled), dim=-1)

    def shared_target(self, pooled: Tensor) -> Tensor:
        """Unit vectors [B, S] of targets in the shared space from their pooled encodings [B, W]."""
        return functional.normalize(self.target_to_shared(pooled), dim=-1)

    def shared_logits(self, practices: Tensor, targets: Tensor) -> Tensor:
        """Logits [B, N] from the cosines of shared-space vectors [B, S] and [N, S], by a learned scale and bias."""
        return self.shared_scale.exp() * practices @ targets.T + self.shared_bias


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` [B, T, X] over the tokens that ``mask`` bool [B, T] keeps; every row keeps at least one."""
    weights = mask.to(values.dtype)
    return (values * weights.unsqueeze(-1)).sum(dim=1) / weights.sum(dim=1, keepdim=True)


def mean_for_new(logits: Tensor, new: Tensor) -> Tensor:
    """Logits [B, N] of a head in which a candidate that is new to it (``new`` [B, N] is 1) stands at the mean of the others.

    At 0 it would stand above them: the head learns of most seen candidates that they are no answer.
    """
    seen = 1.0 - new
    mean = (logits * seen).sum(dim=-1, keepdim=True) / seen.sum(dim=-1, keepdim=True).clamp(min=1.0)
    return torch.where(new > 0, mean, logits)


def _head(config: ModelConfig, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(config.bridge + config.width, config.head_hidden),
        nn.GELU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.head_hidden, outputs),
    )


def _take(flat: Tensor, positions: Tensor | None) -> Tensor:
    return flat if positions is None else flat.index_select(0, positions)


def _spread(flat: Tensor, positions: Tensor | None, rows: int) -> Tensor:
    return flat if positions is None else flat.new_zeros(rows, flat.shape[1]).index_copy(0, positions, flat)
