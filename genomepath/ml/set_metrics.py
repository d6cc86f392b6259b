"""Coverage and size of the conformal sets over the folds of a protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genomepath.ml import bootstrap
from genomepath.ml.aggregation import ProtocolData, seen_pairs
from genomepath.ml.conformal import SET_LEVEL, SetThreshold
from genomepath.ml.fold_scoring import FoldOutcome
from genomepath.ml.results import ScorerResult, SetResult
from genomepath.ml.scores import BoolArray, Scores
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.ml.splits import pair_mask

FloatVector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _FoldSets:
    """One fold: coverage [N] of each held-out link, whose practices and targets are ``links`` int [N, 2]; size [Q] of the
    set of each question asked, and how many candidates [Q] it had."""

    covered: FloatVector
    links: NDArray[np.intp]
    questions: NDArray[np.intp]
    sizes: FloatVector
    candidates: FloatVector


def set_result(data: ProtocolData, name: str, way: str) -> SetResult:
    """How often the set of a question holds its held-out links, and how large it is.

    Coverage has one value a held-out link: from practice to target the share of the doses at which it is known. A size
    counts the candidates of a question with held-out links that are not known on the training side, the mean over doses.
    """
    folds = list(_folds(data, name, way))
    links = np.concatenate([fold.links for fold in folds])
    questions = np.concatenate([fold.questions for fold in folds])
    return SetResult(
        coverage=bootstrap.mean_estimate(np.concatenate([fold.covered for fold in folds]), links[:, data.cluster_axis]),
        size=bootstrap.mean_estimate(np.concatenate([fold.sizes for fold in folds]), questions),
        candidates=float(np.concatenate([fold.candidates for fold in folds]).mean()),
        unlimited=sum(_threshold(outcome, name, way).least_logit is None for outcome in data.outcomes),
    )


def with_sets(data: ProtocolData, name: str, result: ScorerResult) -> ScorerResult:
    """The result of a scorer with its sets in both directions; P0 has none."""
    if data.protocol == "P0":
        return result
    directions = {way: replace(row, sets=set_result(data, name, way)) for way, row in result.directions.items()}
    return replace(result, directions=directions)


def chance_sizes(result: ScorerResult) -> dict[str, float]:
    """By direction the size of a set of candidates drawn at random that covers as many links as the sets are meant to."""
    return {way: SET_LEVEL * row.sets.candidates for way, row in result.directions.items() if row.sets is not None}


def _folds(data: ProtocolData, name: str, way: str) -> Iterator[_FoldSets]:
    forward = way == DIRECTIONS[0]
    known = data.truth.confidence > 0
    for outcome in data.outcomes:
        held_out = pair_mask(data.snapshot, data.truth, outcome.fold.test_rows)
        inside = _inside(outcome.by_scorer[name].scores, _threshold(outcome, name, way), forward)
        links = np.argwhere(held_out)
        at_doses = known[links[:, 0], :, links[:, 1]]
        covered = (inside[links[:, 0], :, links[:, 1]] & at_doses).sum(axis=1) / at_doses.sum(axis=1)
        candidates = ~seen_pairs(data, outcome)
        sizes = (inside & candidates[:, None, :]).mean(axis=1)
        axis = 1 if forward else 0
        asked = np.flatnonzero(held_out.any(axis=axis))
        yield _FoldSets(
            covered=covered,
            links=links,
            questions=asked,
            sizes=sizes.sum(axis=axis)[asked],
            candidates=candidates.sum(axis=axis)[asked].astype(np.float64),
        )


def _inside(scores: Scores, threshold: SetThreshold, forward: bool) -> BoolArray:
    """Which practice x dose x target cells are in the set; from target to practice a score is the same at every dose."""
    inside = threshold.holds(scores.tk_to_genomic if forward else scores.genomic_to_tk.T[:, None, :])
    return np.broadcast_to(inside, scores.tk_to_genomic.shape)


def _threshold(outcome: FoldOutcome, name: str, way: str) -> SetThreshold:
    return outcome.by_scorer[name].thresholds[way]


def sets_verdict(sets: SetResult) -> bool | None:
    """Whether the interval of the coverage contains the level; None where nothing was measured."""
    low, high = sets.coverage.low, sets.coverage.high
    return None if low is None or high is None else low <= SET_LEVEL <= high
