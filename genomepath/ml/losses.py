"""The losses: binary cross-entropy in which a positive weighs its confidence and a negative weighs 1, and a listwise one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from genomepath.ml.config import ModelConfig
from genomepath.ml.dataset import FloatArray, TruthMatrix

_NO_COMPETITOR = -1e4
_TINY = 1e-9


def direction_loss(logits: Tensor, confidence: Tensor, included: Tensor | None = None) -> Tensor:
    """Mean weighted BCE over the cells of ``logits``; a cell is positive where ``confidence`` (same shape) is above 0.

    ``included`` (bool, same shape) leaves cells out of the mean.
    """
    positive = confidence > 0
    weight = torch.where(positive, confidence, torch.ones_like(confidence))
    cells = weight * functional.binary_cross_entropy_with_logits(logits, positive.to(logits.dtype), reduction="none")
    return cells.mean() if included is None else cells[included].mean()


def listwise_loss(logits: Tensor, confidence: Tensor, included: Tensor | None = None) -> Tensor:
    """Mean over positives, weighted by confidence, of -log softmax of the positive among itself and its list's negatives.

    A list is a row of ``logits``. Other positives of the list are no competitors; cells that ``included`` leaves out are
    neither. 0 where there is no positive.
    """
    positive = confidence > 0
    competing = ~positive if included is None else ~positive & included
    negatives = logits.masked_fill(~competing, _NO_COMPETITOR).logsumexp(dim=-1, keepdim=True)
    weight = confidence if included is None else confidence * included
    return (functional.softplus(negatives - logits) * weight).sum() / weight.sum().clamp(min=_TINY)


def held_out_loss(
    config: ModelConfig, logits: tuple[Tensor, Tensor], training: TruthMatrix, validation: TruthMatrix
) -> float:
    """The 0.6/0.4 loss over all cells but the training ones; positives are the validation cells.

    ``logits`` are TK->G [P, D, G] and G->TK [G, P]. Test pairs are unknown here and count as negatives; pairs of a record
    that validation has not seen are left out. A cell on both sides, which the row split P0 allows, counts as a
    validation cell.
    """
    return _held_out(direction_loss, config, logits, training, validation)


def held_out_listwise_loss(
    config: ModelConfig, logits: tuple[Tensor, Tensor], training: TruthMatrix, validation: TruthMatrix
) -> float:
    """``held_out_loss`` with the listwise loss: training pairs are no competitors."""
    return _held_out(listwise_loss, config, logits, training, validation)


def _held_out(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
    config: ModelConfig,
    logits: tuple[Tensor, Tensor],
    training: TruthMatrix,
    validation: TruthMatrix,
) -> float:
    seen = torch.from_numpy(validation.seen_cells)
    cells = _outside(training.confidence, validation.confidence) & seen[:, None, :]
    forward = loss(logits[0], torch.from_numpy(validation.confidence), cells)
    pairs, held_out = training.pair_confidence.T, validation.pair_confidence.T
    backward = loss(logits[1], torch.from_numpy(held_out), _outside(pairs, held_out) & seen.T)
    return float(config.tk_to_genomic_weight * forward + config.genomic_to_tk_weight * backward)


def _outside(training: FloatArray, validation: FloatArray) -> Tensor:
    return torch.from_numpy((training <= 0) | (validation > 0))
