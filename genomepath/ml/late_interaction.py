"""Late interaction: how well the fields of a practice match the fields of a target, from their texts alone.

A practices, C targets, E = 384 embedding dimensions, F features of a pair: the best cosine of each practice field with
each target field, the best of all, the mean over a practice's fields of their best (MaxSim of Khattab and Zaharia,
"ColBERT", 2020), the whole-text cosine, and two overlaps of words. No label is an argument of any function here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from genomepath.ml.fields import FIRST_INDICATION_SLOT, TARGET_SLOTS
from genomepath.ml.records import RecordFeatures

INDICATION_KIND = 3
PRACTICE_KINDS = 4
"""Name, preparation, cultural context, indications; their slots but the dose's, which matches no target."""

TEXT_FEATURES: tuple[str, ...] = (
    *(
        f"{practice_field} x {target_field}"
        for practice_field in ("name", "preparation", "context", "indication")
        for target_field in ("identity", "pathway", "tissue", "disease")
    ),
    "best field",
    "mean best field",
    "whole text",
    "shared words",
    "shared condition words",
)
NOTHING = -2.0
"""Below every cosine: stands for a field that a record does not have."""


@dataclass(frozen=True)
class Records:
    """Records as tensors.

    Attributes:
        tokens, text: [N, T, E] and [N, E], of unit length.
        kinds: int64 [N, T]; which field a token is.
        mask: bool [N, T].
        telling: bool [N, T]; the tokens by which records are alike: the indications of a practice (all tokens of one
            that has none), all tokens of a target.
        words, condition_words: [N, W].
    """

    tokens: Tensor
    kinds: Tensor
    mask: Tensor
    telling: Tensor
    text: Tensor
    words: Tensor
    condition_words: Tensor


def practice_records(features: RecordFeatures) -> Records:
    """Practices as tensors."""
    return practices_from(record_tensors(features))


def target_records(features: RecordFeatures) -> Records:
    """Targets as tensors."""
    return targets_from(record_tensors(features))


def record_tensors(features: RecordFeatures) -> dict[str, Tensor]:
    """The arrays of ``RecordFeatures`` as tensors, by name."""
    return {name: torch.from_numpy(np.ascontiguousarray(part)) for name, part in vars(features).items()}


def practices_from(parts: Mapping[str, Tensor]) -> Records:
    """Practices from the tensors of ``record_tensors``."""
    slots, mask = parts["slots"], parts["mask"]
    kinds = torch.where(slots >= FIRST_INDICATION_SLOT, torch.full_like(slots, INDICATION_KIND), slots)
    indications = mask & (kinds == INDICATION_KIND)
    return _records(parts, kinds, indications | (mask & ~indications.any(dim=1, keepdim=True)))


def targets_from(parts: Mapping[str, Tensor]) -> Records:
    """Targets from the tensors of ``record_tensors``; a slot of a target is its kind."""
    return _records(parts, parts["slots"], parts["mask"])


def late_interaction(practices: Records, targets: Records) -> tuple[Tensor, Tensor]:
    """Features [A, C, F] in the order of ``TEXT_FEATURES``, and where a pair has them, bool [A, C, F].

    A pair lacks the cosine of two fields when the practice or the target lacks the field; its value is then 0.
    """
    fields = field_cosines(practices, targets)
    by_kind, present = _best_by_kind(practices, targets, fields)
    best_of_token = fields.amax(dim=3)
    kept = practices.mask.to(fields.dtype)
    mean_best = torch.einsum("atc,at->ac", best_of_token, kept) / kept.sum(dim=1, keepdim=True)
    best = best_of_token.masked_fill(~practices.mask.unsqueeze(2), NOTHING).amax(dim=1)
    others = torch.stack(
        [
            best,
            mean_best,
            practices.text @ targets.text.T,
            practices.words @ targets.words.T,
            _cosine_of_counts(practices.condition_words, targets.condition_words),
        ],
        dim=2,
    )
    return torch.cat([by_kind, others], dim=2), torch.cat([present, torch.ones_like(others, dtype=torch.bool)], dim=2)


def field_cosines(practices: Records, targets: Records) -> Tensor:
    """Cosine of every token with every token, [A, T, C, T']; with a padding token of a target it is ``NOTHING``."""
    size = targets.tokens.shape
    cosines = practices.tokens @ targets.tokens.reshape(-1, size[2]).T
    cosines = cosines.reshape(*practices.mask.shape, size[0], size[1])
    return cosines.masked_fill(~targets.mask[None, None], NOTHING)


def _best_by_kind(practices: Records, targets: Records, fields: Tensor) -> tuple[Tensor, Tensor]:
    """Best cosine of each kind of practice field with each kind of target field, [A, C, 16], and whether there is one."""
    of_target = [
        fields.masked_fill((targets.kinds != kind)[None, None], NOTHING).amax(dim=3) for kind in range(TARGET_SLOTS)
    ]
    of_kind = practices.kinds[:, None, :] == torch.arange(PRACTICE_KINDS)[None, :, None]
    out = ~(of_kind & practices.mask[:, None, :])
    pairs = torch.stack(of_target, dim=3).unsqueeze(1).masked_fill(out[..., None, None], NOTHING).amax(dim=2)
    best = pairs.transpose(1, 2).flatten(2)
    present = best > NOTHING + 0.5
    return torch.where(present, best, torch.zeros_like(best)), present


def _cosine_of_counts(first: Tensor, second: Tensor) -> Tensor:
    """Shared words by the geometric mean of both numbers of words, [A, C]; 0 where one has none."""
    sizes = first.sum(dim=1).clamp(min=1.0)[:, None] * second.sum(dim=1).clamp(min=1.0)[None, :]
    return first @ second.T / sizes.sqrt()


def _records(parts: Mapping[str, Tensor], kinds: Tensor, telling: Tensor) -> Records:
    return Records(
        tokens=functional.normalize(parts["tokens"], dim=-1),
        kinds=kinds,
        mask=parts["mask"],
        telling=telling,
        text=functional.normalize(parts["text"], dim=-1),
        words=parts["words"],
        condition_words=parts["condition_words"],
    )
