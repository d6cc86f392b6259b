"""What each field of the record that is asked about adds to a logit.

The pair scorer is linear, so that its shares are exact (``text_shares``). The towers are not: the share of a field is what
their part of the logit loses when the field is left out, all else as it is (occlusion, Zeiler and Fergus 2014). Shares of
the towers do not add up.

P practices, G targets, D doses, T fields of the longest practice, T' of the longest target.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from genomepath.ml.augmentation import DOSE_COUNT, TokenBatch, practice_dose_batch, target_batch
from genomepath.ml.dataset import TextFeatures
from genomepath.ml.inference import CatalogueEncoding, as_tensors, encode_catalogue
from genomepath.ml.late_interaction import TEXT_FEATURES, Records
from genomepath.ml.model import DualTower, mean_for_new
from genomepath.ml.pair_scorer import NEW_PRACTICE, NEW_TARGET, PAIR_FEATURES, catalogue_of
from genomepath.ml.published_field_shares import FieldShares
from genomepath.ml.text_shares import TextShares, TextWeights, text_shares

_CHUNK = 32
_MEAN_BEST = TEXT_FEATURES.index("mean best field")


@torch.no_grad()
def field_shares(model: DualTower, features: TextFeatures) -> FieldShares:
    """The shares of every pair of the catalogue, in both directions."""
    encoding = encode_catalogue(model, features)
    pairs = model.pairs.catalogue_features(features)
    forward = _linear_parts(model, model.pairs.forward_layer, features, pairs)
    backward = _linear_parts(model, model.pairs.backward_layer, features, pairs)
    practice_towers, practice_logits = _practice_towers(model, features, encoding, pairs)
    target_towers, target_logits = _target_towers(model, features, encoding, pairs)
    return FieldShares(
        practice_texts=forward[0].practice_fields.numpy(),
        practice_towers=practice_towers.numpy(),
        practice_rest=torch.stack([forward[0].whole, *forward[1:]], dim=2).numpy(),
        practice_tower_logits=practice_logits.numpy(),
        target_texts=backward[0].target_fields.permute(1, 2, 0).contiguous().numpy(),
        target_towers=target_towers.numpy(),
        target_rest=torch.stack([backward[0].whole, *backward[1:]], dim=2).transpose(0, 1).contiguous().numpy(),
        target_tower_logits=target_logits.numpy(),
    )


def _linear_parts(
    model: DualTower, layer: nn.Linear, features: TextFeatures, pairs: Tensor
) -> tuple[TextShares, Tensor, Tensor]:
    """Of one layer of the pair scorer: the shares of the texts, of known links [P, G], and the base [P, G]."""
    catalogue = catalogue_of(features, model.pairs.links)
    count = len(PAIR_FEATURES)
    parts: list[TextShares] = []
    links, bases = [], []
    for start in range(0, pairs.shape[0], _CHUNK):
        rows = slice(start, start + _CHUNK)
        weights = pairs[rows, :, count:] @ layer.weight
        products = weights * pairs[rows, :, :count]
        unit = weights[..., _MEAN_BEST] * model.pairs.kept[_MEAN_BEST] / model.pairs.deviation[_MEAN_BEST]
        asked = Records(**{name: value[rows] for name, value in vars(catalogue.practices).items()})
        given = TextWeights(products[..., : len(TEXT_FEATURES)], unit, model.pairs.mean[_MEAN_BEST])
        parts.append(text_shares(asked, catalogue.targets, given))
        links.append(products[..., len(TEXT_FEATURES) :].sum(dim=2))
        bases.append(pairs[rows, :, count:] @ layer.bias)
    names = ("practice_fields", "target_fields", "whole")
    texts = TextShares(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
    return texts, torch.cat(links), torch.cat(bases)


def _practice_towers(
    model: DualTower, features: TextFeatures, encoding: CatalogueEncoding, pairs: Tensor
) -> tuple[Tensor, Tensor]:
    """Loss by occlusion [P, D, 1 + T, G], the dose first, and the towers' part of the logits [P, D, G]."""
    bank = encoding.target_bank

    def logits(batch: TokenBatch, row: int) -> Tensor:
        encoded = model.practice_encoder(*as_tensors(batch))
        head = mean_for_new(model.tk_to_genomic(encoded, bank), pairs[row // DOSE_COUNT, :, NEW_TARGET])
        return head + model.practice_cosines(encoded.pooled, bank)

    practices, width = features.practice_mask.shape
    rows = range(practices * DOSE_COUNT)
    found = [_occluded(practice_dose_batch(features, np.array([row])), row, logits, width + 1) for row in rows]
    lost, whole = (torch.stack(part) for part in zip(*found, strict=True))
    return lost.view(practices, DOSE_COUNT, *lost.shape[1:]), whole.view(practices, DOSE_COUNT, -1)


def _target_towers(
    model: DualTower, features: TextFeatures, encoding: CatalogueEncoding, pairs: Tensor
) -> tuple[Tensor, Tensor]:
    """Loss by occlusion [G, T', P] and the towers' part of the logits [G, P]."""
    bank = encoding.practice_bank

    def logits(batch: TokenBatch, row: int) -> Tensor:
        encoded = model.target_encoder(*as_tensors(batch))
        head = mean_for_new(model.genomic_to_tk(encoded, bank), pairs[:, row, NEW_PRACTICE])
        return head + model.target_cosines(encoded.pooled, bank)

    targets, width = features.target_mask.shape
    found = [_occluded(target_batch(features, np.array([row])), row, logits, width) for row in range(targets)]
    lost, whole = (torch.stack(part) for part in zip(*found, strict=True))
    return lost, whole


def _occluded(
    record: TokenBatch, row: int, logits: Callable[[TokenBatch, int], Tensor], width: int
) -> tuple[Tensor, Tensor]:
    """What the logits [M] of one record lose without each of its fields, [width, M], and the logits.

    A record of one field loses all of them with it.
    """
    fields = int(record.mask.sum())
    masks = np.concatenate([np.ones((1, fields), dtype=bool), ~np.eye(fields, dtype=bool)])
    if fields == 1:
        masks = masks[:1]
    tokens = np.repeat(record.tokens[:, :fields], len(masks), axis=0)
    found = logits(TokenBatch(tokens, np.repeat(record.slots[:, :fields], len(masks), axis=0), masks), row)
    lost = found[:1] - found[1:] if fields > 1 else found
    return functional.pad(lost, (0, 0, 0, width - fields)), found[0]
