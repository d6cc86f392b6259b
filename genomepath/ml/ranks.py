"""Filtered, tie-aware ranks over the whole catalogue.

A rank is *realistic* (Berrendorf et al., "On the ambiguity of rank-based evaluation of entity alignment or link
prediction methods", 2020): the expected rank when ties break at random, the mean of the optimistic and the pessimistic
rank. It is *filtered* (Bordes et al. 2013): the other known true pairs of the query are no candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.scores import BoolArray, FloatArray, ScoreError

FloatVector = NDArray[np.float64]
IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Ranks:
    """Ranks of N held-out pairs and the number of candidates that each was ranked among (itself included)."""

    ranks: FloatVector
    candidates: IntArray


def filtered_ranks(scores: FloatArray, known: BoolArray, cells: IntArray) -> Ranks:
    """Rank the answer of each cell among the answers not known to be true.

    Args:
        scores: [A, B], query x answer, higher is better, finite.
        known: bool [A, B], every known true pair whichever side it stands on.
        cells: int [N, 2], (query, answer) of the held-out pairs.

    Raises:
        ScoreError: a score is NaN or infinite.
    """
    if not np.isfinite(scores).all():
        raise ScoreError("scores must be finite to be ranked")
    queries, answers = cells[:, 0], cells[:, 1]
    own = scores[queries, answers][:, None]
    rows = scores[queries]
    others = ~known[queries]
    others[np.arange(len(cells)), answers] = False
    better = ((rows > own) & others).sum(axis=1)
    tied = ((rows == own) & others).sum(axis=1)
    return Ranks(ranks=1.0 + better + tied / 2.0, candidates=others.sum(axis=1) + 1)


def list_ranks(scores: FloatArray, candidates: BoolArray) -> NDArray[np.float64]:
    """Realistic rank [A, B] of each candidate in its query's list; infinity where the cell is no candidate.

    Raises:
        ScoreError: a score is NaN or infinite.
    """
    if not np.isfinite(scores).all():
        raise ScoreError("scores must be finite to be ranked")
    result = np.full(scores.shape, np.inf)
    for query in range(scores.shape[0]):
        mask = candidates[query]
        own = scores[query, mask]
        ordered = np.sort(own)
        not_better = np.searchsorted(ordered, own, side="right")
        worse = np.searchsorted(ordered, own, side="left")
        better = own.size - not_better
        ties = not_better - worse - 1
        result[query, mask] = 1.0 + better + ties / 2.0
    return result
