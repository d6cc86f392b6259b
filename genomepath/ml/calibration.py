"""Platt calibration: a logistic curve from a score to the probability of a documented association, by itself or in its list.

Platt (1999), with the smoothed targets of that paper; the fit is Newton's method with backtracking as in Lin, Lin and
Weng, "A note on Platt's probabilistic outputs for support vector machines" (2007). The slope is kept non-negative, so
that calibration never changes a ranking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genomepath.ml.metrics import SERVED_TOP

FloatVector = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_MAX_STEPS = 100
_TOLERANCE = 1e-10
_RIDGE = 1e-9


class CalibrationError(ValueError):
    """Calibration needs finite scores and at least one positive and one negative label."""


@dataclass(frozen=True)
class PlattCalibration:
    """probability = 1 / (1 + exp(-(slope * logit + intercept)))."""

    slope: float
    intercept: float

    def probability(self, logits: ArrayLike) -> FloatVector:
        """Calibrated probabilities, the shape of ``logits``."""
        return _sigmoid(self.slope * np.asarray(logits, dtype=np.float64) + self.intercept)

    def to_dict(self) -> dict[str, float]:
        """A JSON object of slope and intercept."""
        return asdict(self)

    @classmethod
    def from_dict(cls, payload: Mapping[str, float]) -> PlattCalibration:
        """Read what ``to_dict`` wrote."""
        return cls(slope=float(payload["slope"]), intercept=float(payload["intercept"]))


@dataclass(frozen=True)
class ListCalibration:
    """probability = 1 / (1 + exp(-(slope * logit + level_slope * level + intercept))).

    The level of a list is the mean of its five highest scores. A score says little without it: of a practice that is scored
    low throughout, the highest are documented more often than such scores are elsewhere, and the other way round. Within a
    list the level is a constant, so that its ranking stays.
    """

    slope: float
    level_slope: float
    intercept: float

    def probability(self, logits: ArrayLike) -> FloatVector:
        """Calibrated probabilities of whole lists, which lie along the last axis, in the shape of ``logits``."""
        values = np.asarray(logits, dtype=np.float64)
        return _sigmoid(self.slope * values + self.level_slope * list_level(values) + self.intercept)

    def to_dict(self) -> dict[str, float]:
        """A JSON object of the three numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, payload: Mapping[str, float]) -> ListCalibration:
        """Read what ``to_dict`` wrote."""
        return cls(float(payload["slope"]), float(payload["level_slope"]), float(payload["intercept"]))


@dataclass(frozen=True)
class Prior:
    """What is held of the curve of scores that are log odds before it is fitted: slope 1 and intercept 0, by a normal
    distribution each.

    Where whole records are held out, few of them calibrate (five practices or targets of the bundled data in each part).
    Their share of links is not that of the others, which an intercept fitted on them alone takes for a fact. The deviations
    were chosen on inner folds (docs/model_choices.md).
    """

    slope_deviation: float = 0.2
    intercept_deviation: float = 0.5


def list_level(scores: ArrayLike) -> FloatVector:
    """The mean of the five highest scores of each list, [..., N] -> [..., 1]; of all where there are fewer."""
    values = np.asarray(scores, dtype=np.float64)
    count = min(SERVED_TOP, values.shape[-1])
    highest = np.partition(values, values.shape[-1] - count, axis=-1)[..., -count:]
    return np.asarray(np.sort(highest, axis=-1).mean(axis=-1, keepdims=True))


def fit_in_lists(
    logits: ArrayLike, levels: ArrayLike, labels: ArrayLike, prior: Prior | None = None, *, weight: float = 1.0
) -> ListCalibration:
    """``fit_platt`` with the level of the list of each score, in the shape of ``logits``. The prior holds nothing of it."""
    x, y = _checked(logits, labels)
    columns = np.column_stack([x, np.asarray(levels, dtype=np.float64).ravel()])
    (slope, level_slope), intercept = _fit(columns, y, prior, weight)
    return ListCalibration(slope, level_slope, intercept)


def fit_platt(
    logits: ArrayLike, labels: ArrayLike, prior: Prior | None = None, *, weight: float = 1.0
) -> PlattCalibration:
    """Fit slope and intercept by maximum likelihood, with a ``prior`` the most probable ones.

    Args:
        logits: scores of held-out cells (``PairSplit.validation_cells``), any shape. Both known pairs and unknown cells
            must be held out at the same rate, or the base rate of the probabilities is wrong.
        labels: 0 or 1, same shape.
        prior: for scores that are log odds; None leaves the curve to the data.
        weight: of each example, below 1 where several stand for one.

    Raises:
        CalibrationError: shapes differ, a score is not finite, or only one class is present.
    """
    x, y = _checked(logits, labels)
    (slope,), intercept = _fit(x[:, None], y, prior, weight)
    return PlattCalibration(slope, intercept)


def _checked(logits: ArrayLike, labels: ArrayLike) -> tuple[FloatVector, BoolArray]:
    x = np.asarray(logits, dtype=np.float64).ravel()
    y = np.asarray(labels, dtype=bool).ravel()
    if x.shape != y.shape:
        raise CalibrationError(f"{x.size} scores but {y.size} labels")
    if not np.isfinite(x).all():
        raise CalibrationError("scores must be finite")
    if y.all() or not y.any():
        raise CalibrationError("calibration needs positive and negative examples")
    return x, y


def _fit(columns: FloatVector, y: BoolArray, prior: Prior | None, weight: float) -> tuple[list[float], float]:
    """The slopes of ``columns`` [N, K], the first that of the score, and the intercept."""
    positives, negatives = weight * float(y.sum()), weight * float((~y).sum())
    target = np.where(y, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    others = columns.shape[1] - 1
    if prior is not None:
        held = [1 / prior.slope_deviation**2, *[0.0] * others, 1 / prior.intercept_deviation**2]
        start = np.array([1.0, *[0.0] * others, 0.0])
        found = _newton(columns, target, start=start, precision=np.array(held) / weight)
        return [max(found[0], 0.0), *found[1:-1]], found[-1]
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    scale[scale == 0] = 1.0
    flat = np.array([*[0.0] * (others + 1), _constant(target)])
    found = _newton((columns - centre) / scale, target, start=flat, precision=np.zeros(others + 2))
    if found[0] < 0:
        return [0.0] * (others + 1), _constant(target)
    slopes = np.array(found[:-1]) / scale
    return slopes.tolist(), found[-1] - float(slopes @ centre)


def _newton(x: FloatVector, target: FloatVector, *, start: FloatVector, precision: FloatVector) -> list[float]:
    """Slopes and intercept [K + 1] of the least loss for ``x`` [N, K]; ``precision`` [K + 1] draws them to ``start``."""
    design = np.column_stack([x, np.ones(len(x))])

    def loss_of(parameters: FloatVector) -> float:
        return _loss(design @ parameters, target) + float(precision @ (parameters - start) ** 2) / 2

    parameters, loss = start, loss_of(start)
    for _ in range(_MAX_STEPS):
        probability = _sigmoid(design @ parameters)
        gradient = design.T @ (probability - target) + precision * (parameters - start)
        curvature = probability * (1 - probability)
        hessian = (design * curvature[:, None]).T @ design + np.diag(precision + _RIDGE)
        direction = np.linalg.solve(hessian, gradient)
        step = 1.0
        while step > _TOLERANCE:
            candidate = parameters - step * direction
            candidate_loss = loss_of(candidate)
            if candidate_loss <= loss - 1e-4 * step * float(gradient @ direction):
                break
            step /= 2
        else:
            break
        converged = loss - candidate_loss < _TOLERANCE * (1 + abs(loss))
        parameters, loss = candidate, candidate_loss
        if converged:
            break
    return [float(value) for value in parameters]


def _constant(target: FloatVector) -> float:
    mean = float(target.mean())
    return float(np.log(mean / (1 - mean)))


def _loss(logits: FloatVector, target: FloatVector) -> float:
    return float((np.logaddexp(0, logits) - target * logits).sum())


def _sigmoid(logits: FloatVector) -> FloatVector:
    return np.exp(-np.logaddexp(0, -logits))
