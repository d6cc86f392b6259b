"""Reading the scores of a model folder without torch: logits of both directions and their calibrated confidences.

P practices, G targets, D = 3 doses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from genomepath.ml.calibration import PlattCalibration
from genomepath.ml.snapshot import DIRECTIONS, DOSES


class PublishedScoresError(ValueError):
    """A file is missing, malformed, or of another shape than the catalogue."""


@dataclass(frozen=True)
class PublishedScores:
    """Logits float32 and confidences float64 in [0, 1]: [P, D, G] from practice to target, [G, P] back."""

    practices: tuple[str, ...]
    targets: tuple[str, ...]
    tk_to_genomic: NDArray[np.float32]
    genomic_to_tk: NDArray[np.float32]
    tk_to_genomic_confidence: NDArray[np.float64]
    genomic_to_tk_confidence: NDArray[np.float64]


def read_published_scores(folder: Path) -> PublishedScores:
    """Read ``catalogue.json``, ``scores.safetensors`` and ``calibration.json``.

    Raises:
        PublishedScoresError: a file is missing, malformed, not finite, or of another shape than the catalogue.
    """
    try:
        catalogue = json.loads((folder / "catalogue.json").read_text(encoding="utf-8"))
        curves = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "scores.safetensors")
        practices, targets = tuple(catalogue["practices"]), tuple(catalogue["targets"])
        tk_to_genomic, genomic_to_tk = (tensors[direction] for direction in DIRECTIONS)
        platt = {direction: PlattCalibration.from_dict(curves[direction]) for direction in DIRECTIONS}
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise PublishedScoresError(f"{folder.name}: {error}") from error
    expected = ((len(practices), len(DOSES), len(targets)), (len(targets), len(practices)))
    if (tk_to_genomic.shape, genomic_to_tk.shape) != expected:
        raise PublishedScoresError(f"{folder.name}: the scores do not have the shape of the catalogue")
    if not (np.isfinite(tk_to_genomic).all() and np.isfinite(genomic_to_tk).all()):
        raise PublishedScoresError(f"{folder.name}: a score is not finite")
    return PublishedScores(
        practices=practices,
        targets=targets,
        tk_to_genomic=tk_to_genomic,
        genomic_to_tk=genomic_to_tk,
        tk_to_genomic_confidence=platt["tk_to_genomic"].probability(tk_to_genomic),
        genomic_to_tk_confidence=platt["genomic_to_tk"].probability(genomic_to_tk),
    )
