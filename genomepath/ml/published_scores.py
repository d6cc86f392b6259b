"""Reading the scores of a model folder without torch: logits of both directions and their calibrated confidences.

P practices, G targets, D = 3 doses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.checkpoint import CALIBRATION, read_catalogue, read_scores
from genomepath.ml.confidence_curves import ConfidenceCurves
from genomepath.ml.conformal import SetThreshold, read_thresholds
from genomepath.ml.scores import BoolArray, Scores
from genomepath.ml.snapshot import DOSES


class PublishedScoresError(ValueError):
    """A file is missing, malformed, or of another shape than the catalogue."""


@dataclass(frozen=True)
class PublishedScores:
    """Logits, and confidences float64 in [0, 1]: [P, D, G] from practice to target, [G, P] back.

    ``thresholds`` says by direction which logits are in the 90% set of their question; None for a model without sets.
    """

    practices: tuple[str, ...]
    targets: tuple[str, ...]
    scores: Scores
    curves: ConfidenceCurves
    tk_to_genomic_confidence: NDArray[np.float64]
    genomic_to_tk_confidence: NDArray[np.float64]
    thresholds: Mapping[str, SetThreshold] | None = None

    def in_set(self, way: str) -> BoolArray | None:
        """Which logits of a direction are in the set of their question; None for a model without sets."""
        if self.thresholds is None:
            return None
        return self.thresholds[way].holds(getattr(self.scores, way))


def read_published_scores(folder: Path) -> PublishedScores:
    """Read ``catalogue.json``, ``scores.safetensors`` and ``calibration.json``.

    Raises:
        PublishedScoresError: a file is missing, malformed, not finite, or of another shape than the catalogue.
    """
    try:
        practices, targets = read_catalogue(folder)
        scores = read_scores(folder)
        calibration = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
        curves, thresholds = ConfidenceCurves.from_dict(calibration), read_thresholds(calibration)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise PublishedScoresError(f"{folder.name}: {error}") from error
    if scores.tk_to_genomic.shape != (len(practices), len(DOSES), len(targets)):
        raise PublishedScoresError(f"{folder.name}: the scores do not have the shape of the catalogue")
    return PublishedScores(
        practices=practices,
        targets=targets,
        scores=scores,
        curves=curves,
        tk_to_genomic_confidence=curves.of_targets(scores.tk_to_genomic),
        genomic_to_tk_confidence=curves.genomic_to_tk.probability(scores.genomic_to_tk),
        thresholds=thresholds,
    )
