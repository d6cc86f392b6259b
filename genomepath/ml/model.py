"""The dual-tower transformer: two field encoders, a cross-attention bridge into a shared space, and two heads.

A logit is the sum of three parts: the head's, the cosine in the shared space, and the pair scorer's (late interaction and
link evidence). The bridge attends over the bank of all records of the other side and gets no label and no candidate: the
answer cannot reach the input.

B records of a batch, N tokens of all of them, W width, S bridge (shared space), P practices, G targets,
R = P x 3 practice-dose rows, F pair features.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from genomepath.ml.config import ModelConfig
from genomepath.ml.dropout import Dropout
from genomepath.ml.field_encoder import Encoded, FieldEncoder
from genomepath.ml.fields import PRACTICE_SLOTS, TARGET_SLOTS
from genomepath.ml.pair_scorer import NEW_PRACTICE, NEW_TARGET, PairScorer
from genomepath.ml.snapshot import DOSES

_INITIAL_SHARED_SCALE = 10.0
_INITIAL_SHARED_BIAS = -5.0


class CrossAttention(nn.Module):
    """Multi-head attention of flat tokens [N, S] over a bank [M, S] of the other side."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.bridge_heads
        self.query = nn.Linear(config.bridge, config.bridge)
        self.key = nn.Linear(config.bridge, config.bridge)
        self.value = nn.Linear(config.bridge, config.bridge)
        self.out = nn.Linear(config.bridge, config.bridge)

    def forward(self, tokens: Tensor, bank: Tensor) -> Tensor:
        query, key, value = (
            layer(rows).view(rows.shape[0], self.heads, -1).transpose(0, 1)
            for layer, rows in ((self.query, tokens), (self.key, bank), (self.value, bank))
        )
        weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(query.shape[-1]), dim=-1)
        mixed: Tensor = self.out((weights @ value).transpose(0, 1).flatten(1))
        return mixed


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
        bridge = self.practice_bridge_norm(practice.layout.mean(tokens + attended))
        logits: Tensor = self.tk_to_genomic_head(torch.cat([bridge, practice.pooled], dim=-1))
        return logits

    def genomic_to_tk(self, target: Encoded, practice_bank: Tensor) -> Tensor:
        """Head logits [B, P] of targets, whose tokens attend over all practice-dose embeddings [R, W]."""
        tokens = self.target_to_shared(target.tokens)
        attended = self.target_bridge(tokens, self.practice_to_shared(practice_bank))
        bridge = self.target_bridge_norm(target.layout.mean(tokens + attended))
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
        Dropout(config.dropout),
        nn.Linear(config.head_hidden, outputs),
    )
