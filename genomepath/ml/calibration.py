"""Platt calibration: a logistic curve from a score to the probability of a documented association.

Platt (1999), with the smoothed targets of that paper; the fit is Newton's method with backtracking as in Lin, Lin and
Weng, "A note on Platt's probabilistic outputs for support vector machines" (2007). The slope is kept non-negative, so
that calibration never changes a ranking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genomepath.ml.scores import BoolArray, Scores

if TYPE_CHECKING:
    from genomepath.ml.dataset import TruthMatrix

FloatVector = NDArray[np.float64]

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
class Prior:
    """What is held of the curve of scores that are log odds before it is fitted: slope 1 and intercept 0, by a normal
    distribution each.

    Where whole records are held out, few of them calibrate (five practices or targets of the bundled data in each part).
    Their share of links is not that of the others, which an intercept fitted on them alone takes for a fact. The deviations
    were chosen on inner folds (docs/model_choices.md).
    """

    slope_deviation: float = 0.2
    intercept_deviation: float = 0.5


def fit_curves(
    scores: Scores, truth: TruthMatrix, cells: BoolArray, prior: Prior | None = None
) -> dict[str, PlattCalibration]:
    """A curve for each direction, fitted on held-out ``cells``, bool [P, G].

    A confidence from practice to target is read at a dose, so its examples are cells of practice, dose and target; the
    doses of a pair share its weight.

    Raises:
        CalibrationError: only one class is among the cells.
    """
    practices, targets = np.nonzero(cells)
    at_doses = scores.tk_to_genomic[practices, :, targets], truth.confidence[practices, :, targets] > 0
    pairs = scores.genomic_to_tk[targets, practices], truth.pairs[practices, targets]
    return {
        "tk_to_genomic": fit_platt(*at_doses, prior, weight=1 / at_doses[0].shape[1]),
        "genomic_to_tk": fit_platt(*pairs, prior),
    }


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
    x = np.asarray(logits, dtype=np.float64).ravel()
    y = np.asarray(labels, dtype=bool).ravel()
    if x.shape != y.shape:
        raise CalibrationError(f"{x.size} scores but {y.size} labels")
    if not np.isfinite(x).all():
        raise CalibrationError("scores must be finite")
    if y.all() or not y.any():
        raise CalibrationError("calibration needs positive and negative examples")
    positives, negatives = weight * float(y.sum()), weight * float((~y).sum())
    target = np.where(y, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    if prior is not None:
        deviations = np.array([prior.slope_deviation, prior.intercept_deviation])
        slope, intercept = _newton(x, target, start=np.array([1.0, 0.0]), precision=1 / (weight * deviations**2))
        return PlattCalibration(slope=max(slope, 0.0), intercept=intercept)
    centre, scale = float(x.mean()), float(x.std()) or 1.0
    flat = np.array([0.0, _constant(target)])
    slope, intercept = _newton((x - centre) / scale, target, start=flat, precision=np.zeros(2))
    if slope < 0:
        slope, intercept = 0.0, _constant(target)
    return PlattCalibration(slope=slope / scale, intercept=intercept - slope * centre / scale)


def _newton(x: FloatVector, target: FloatVector, *, start: FloatVector, precision: FloatVector) -> tuple[float, float]:
    """Slope and intercept of the least loss; ``precision`` [2] draws them to ``start`` [2]."""
    design = np.column_stack([x, np.ones_like(x)])

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
    return float(parameters[0]), float(parameters[1])


def _constant(target: FloatVector) -> float:
    mean = float(target.mean())
    return float(np.log(mean / (1 - mean)))


def _loss(logits: FloatVector, target: FloatVector) -> float:
    return float((np.logaddexp(0, logits) - target * logits).sum())


def _sigmoid(logits: FloatVector) -> FloatVector:
    return np.exp(-np.logaddexp(0, -logits))
