"""The multi-label loss: binary cross-entropy in which a positive weighs its confidence and a negative weighs 1."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from genomepath.ml.config import ModelConfig
from genomepath.ml.dataset import FloatArray, TruthMatrix


def direction_loss(logits: Tensor, confidence: Tensor, included: Tensor | None = None) -> Tensor:
    """Mean weighted BCE over the cells of ``logits``; a cell is positive where ``confidence`` (same shape) is above 0.

    ``included`` (bool, same shape) leaves cells out of the mean.
    """
    positive = confidence > 0
    weight = torch.where(positive, confidence, torch.ones_like(confidence))
    cells = weight * functional.binary_cross_entropy_with_logits(logits, positive.to(logits.dtype), reduction="none")
    return cells.mean() if included is None else cells[included].mean()


def held_out_loss(
    config: ModelConfig, logits: tuple[Tensor, Tensor], training: TruthMatrix, validation: TruthMatrix
) -> float:
    """The 0.6/0.4 loss over all cells but the training ones; positives are the validation cells.

    ``logits`` are TK->G [P, D, G] and G->TK [G, P]. Test pairs are unknown here and count as negatives. A cell on both
    sides, which the row split P0 allows, counts as a validation cell.
    """
    forward = direction_loss(
        logits[0], torch.from_numpy(validation.confidence), _outside(training.confidence, validation.confidence)
    )
    pairs, held_out = training.pair_confidence.T, validation.pair_confidence.T
    backward = direction_loss(logits[1], torch.from_numpy(held_out), _outside(pairs, held_out))
    return float(config.tk_to_genomic_weight * forward + config.genomic_to_tk_weight * backward)


def base_rate_logit(confidence: Tensor) -> float:
    """Log-odds of a positive cell, with one positive and one negative added so that it is finite."""
    positives = float((confidence > 0).sum()) + 1.0
    return math.log(positives / (confidence.numel() + 2.0 - positives))


def _outside(training: FloatArray, validation: FloatArray) -> Tensor:
    return torch.from_numpy((training <= 0) | (validation > 0))
