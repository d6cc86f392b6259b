"""Scores to calibrate on: each cell from a fit that did not see it, and no cell from the part that the training stopped by.

A fit that stops early by the validation part places the links of that part a little too high, and the part is small: 28
links of the bundled data, on P2 and P3 some five whole records. So each calibration part of the training side is held out
from a fit of its own, as long as the one that is judged and otherwise the same, and what these fits say of their parts is
put together (Vovk, "Cross-conformal predictors", 2015). The judged fit is trained on as many pairs as each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from genomepath.ml.calibration import list_level
from genomepath.ml.scores import BoolArray, FloatArray, Scores


@dataclass(frozen=True, eq=False)
class CalibrationSample:
    """Scores and the cells, bool [P, G], of which they may be read.

    ``levels`` [P, D, G] holds of each score from practice to target the level of the list that it is from: the scores of a
    list are put together from several fits, and only one of them held out this cell.
    """

    scores: Scores
    levels: FloatArray
    cells: BoolArray


def put_together(parts: Iterable[tuple[BoolArray, Scores]]) -> CalibrationSample:
    """One sample of parts, each its cells, bool [P, G], and the scores of the fit that they were held out from.

    Raises:
        ValueError: no part, or two parts that share a cell.
    """
    known = list(parts)
    if not known:
        raise ValueError("a calibration needs a part that was held out")
    cells, first = known[0]
    forward, backward, levels = first.tk_to_genomic, first.genomic_to_tk, _levels(first)
    for part, scores in known[1:]:
        if (cells & part).any():
            raise ValueError("two calibration parts share a cell")
        forward = np.where(part[:, None, :], scores.tk_to_genomic, forward)
        levels = np.where(part[:, None, :], _levels(scores), levels)
        backward = np.where(part.T, scores.genomic_to_tk, backward)
        cells = cells | part
    log_odds = all(scores.log_odds for _, scores in known)
    return CalibrationSample(Scores(forward, backward, log_odds=log_odds), levels, cells)


def _levels(scores: Scores) -> FloatArray:
    forward = scores.tk_to_genomic
    return np.broadcast_to(list_level(forward), forward.shape)
