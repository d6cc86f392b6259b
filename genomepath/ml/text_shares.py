"""Which field of a record the text features of a pair come from, exactly: the shares of all fields and of the text as a
whole add up to what the features add to a logit.

A best cosine belongs to the two fields that reach it, a mean over fields to each of them by its part. The cosine of the
whole texts and the shared words belong to no field. A practices, C targets, T and T' fields, F text features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genomepath.ml.fields import TARGET_SLOTS
from genomepath.ml.late_interaction import NOTHING, PRACTICE_KINDS, TEXT_FEATURES, Records, field_cosines

_BEST, _MEAN_BEST = TEXT_FEATURES.index("best field"), TEXT_FEATURES.index("mean best field")
_WHOLE = slice(_MEAN_BEST + 1, len(TEXT_FEATURES))


@dataclass(frozen=True)
class TextShares:
    """Parts of logits [A, C]: by practice field [A, T, C], by target field [A, C, T'], and of the whole texts [A, C].

    The fields of either side with the whole texts add up to the same sum.
    """

    practice_fields: Tensor
    target_fields: Tensor
    whole: Tensor


@dataclass(frozen=True)
class TextWeights:
    """``contributions`` [A, C, F] of each text feature to the logit of a pair, 0 where the pair lacks it; for the mean over
    fields the ``weight`` [A, C] of one unit of cosine and the ``mean`` cosine that counts as nothing."""

    contributions: Tensor
    weight: Tensor
    mean: Tensor


def text_shares(practices: Records, targets: Records, weights: TextWeights) -> TextShares:
    """The shares of every pair."""
    cosines = field_cosines(practices, targets).masked_fill(~practices.mask[:, :, None, None], NOTHING)
    of_practice = torch.zeros(cosines.shape[:3])
    of_target = torch.zeros(cosines.shape[0], cosines.shape[2], cosines.shape[3])
    for feature, found in _best_features(practices, targets, cosines):
        place = found.permute(0, 2, 1, 3).flatten(2).argmax(dim=2)
        value = weights.contributions[..., feature]
        fields = found.shape[3]
        of_practice.scatter_add_(1, (place // fields)[:, None, :], value[:, None, :])
        of_target.scatter_add_(2, (place % fields)[..., None], value[..., None])
    best, field = cosines.max(dim=3)
    kept = practices.mask.to(best.dtype)[..., None]
    parts = kept * (best - weights.mean) * weights.weight[:, None, :] / kept.sum(dim=1, keepdim=True)
    of_target.scatter_add_(2, field.transpose(1, 2), parts.transpose(1, 2))
    return TextShares(of_practice + parts, of_target, weights.contributions[..., _WHOLE].sum(dim=2))


def _best_features(practices: Records, targets: Records, cosines: Tensor) -> list[tuple[int, Tensor]]:
    """Place of each feature that is a best cosine, with the cosines [A, T, C, T'] that it is the best of."""
    result = [(_BEST, cosines)]
    for kind in range(PRACTICE_KINDS):
        for other in range(TARGET_SLOTS):
            outside = (practices.kinds != kind)[:, :, None, None] | (targets.kinds != other)[None, None]
            result.append((kind * TARGET_SLOTS + other, cosines.masked_fill(outside, NOTHING)))
    return result
