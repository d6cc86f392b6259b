"""The curves that turn the scores of a model into confidences: one for each dose from practice to target, and one back.

The share of links that is documented differs between the doses far more than the scores of a model do, so that one curve for
all doses is too sure at one dose and too cautious at another. From practice to target a curve reads a score in its list; the
other way that changed nothing (docs/model_choices.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from genomepath.ml.calibration import (
    CalibrationError,
    FloatVector,
    ListCalibration,
    PlattCalibration,
    Prior,
    fit_in_lists,
    fit_platt,
)
from genomepath.ml.cross_fitting import CalibrationSample
from genomepath.ml.snapshot import DIRECTIONS, DOSES

if TYPE_CHECKING:
    from genomepath.ml.dataset import TruthMatrix

_FORWARD, _BACKWARD = DIRECTIONS


@dataclass(frozen=True)
class ConfidenceCurves:
    """``tk_to_genomic`` holds a curve for each dose, in the order of ``DOSES``."""

    tk_to_genomic: tuple[ListCalibration, ...]
    genomic_to_tk: PlattCalibration

    def __post_init__(self) -> None:
        if len(self.tk_to_genomic) != len(DOSES):
            raise CalibrationError(f"{len(self.tk_to_genomic)} curves for {len(DOSES)} doses")

    def of_targets(self, logits: ArrayLike) -> FloatVector:
        """Confidences of scores [P, D, G] from practice to target, in their shape."""
        values = np.asarray(logits, dtype=np.float64)
        return np.stack([curve.probability(values[:, dose]) for dose, curve in enumerate(self.tk_to_genomic)], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """A JSON object: by direction, and from practice to target by dose."""
        return {
            _FORWARD: {dose: curve.to_dict() for dose, curve in zip(DOSES, self.tk_to_genomic, strict=True)},
            _BACKWARD: self.genomic_to_tk.to_dict(),
        }

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> ConfidenceCurves:
        """Read what ``to_dict`` wrote; a model of before had one curve for all doses, which read a score by itself.

        Raises:
            KeyError, TypeError, ValueError: a curve is missing or damaged.
        """
        forward = payload[_FORWARD]
        of_before = {"level_slope": 0.0, **forward} if "slope" in forward else None
        return cls(
            tk_to_genomic=tuple(ListCalibration.from_dict(of_before or forward[dose]) for dose in DOSES),
            genomic_to_tk=PlattCalibration.from_dict(payload[_BACKWARD]),
        )


def fit_curves(sample: CalibrationSample, truth: TruthMatrix, prior: Prior | None = None) -> ConfidenceCurves:
    """The curves of both directions.

    A dose at which none of the cells is documented has nothing to fit: it gets the curve of all doses together, which share
    the weight of a cell.

    Raises:
        CalibrationError: only one class is among the cells.
    """
    practices, targets = np.nonzero(sample.cells)
    logits, levels = sample.scores.tk_to_genomic[practices, :, targets], sample.levels[practices, :, targets]
    known = truth.confidence[practices, :, targets] > 0
    together = fit_in_lists(logits, levels, known, prior, weight=1 / len(DOSES))
    back = sample.scores.genomic_to_tk[targets, practices]
    return ConfidenceCurves(
        tk_to_genomic=tuple(
            fit_in_lists(logits[:, dose], levels[:, dose], known[:, dose], prior)
            if 0 < known[:, dose].mean() < 1
            else together
            for dose in range(len(DOSES))
        ),
        genomic_to_tk=fit_platt(back, truth.pairs[practices, targets], prior),
    )
