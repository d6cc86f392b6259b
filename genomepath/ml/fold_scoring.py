"""Asks the scorers for one outer fold: hands over the training side, calibrates on the inner validation part, checks.

The oracle is the rule by which labels were derived; it needs no training and is exempt from the check of its answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from genomepath.ml import leakage
from genomepath.ml.calibration import PlattCalibration, Prior, fit_platt
from genomepath.ml.conformal import SetThreshold, fit_thresholds
from genomepath.ml.dataset import TextFeatures, TruthMatrix
from genomepath.ml.ranks import Ranks, filtered_ranks
from genomepath.ml.scores import BoolArray, Scorer, Scores, ValidatedScorer, takes_validation
from genomepath.ml.snapshot import Snapshot
from genomepath.ml.splits import Fold, pair_mask, row_pairs, rows_snapshot, unseen_records

AnyScorer = Scorer | ValidatedScorer


@dataclass(frozen=True, eq=False)
class EvaluationInputs:
    """What every fold shares; sent once to each worker process."""

    snapshot: Snapshot
    features: TextFeatures
    scorers: Mapping[str, AnyScorer]
    oracles: frozenset[str]


@dataclass(frozen=True, eq=False)
class FoldScores:
    """Scores of one scorer on one fold, calibration and set thresholds by direction (empty on P0), seconds of its fits."""

    scores: Scores
    calibration: Mapping[str, PlattCalibration]
    thresholds: Mapping[str, SetThreshold]
    seconds: float


@dataclass(frozen=True, eq=False)
class FoldOutcome:
    """One outer fold with the scores of all scorers."""

    fold: Fold
    by_scorer: Mapping[str, FoldScores]


def score_fold(inputs: EvaluationInputs, fold: Fold) -> FoldOutcome:
    """Fit and score every scorer on the training side of the fold.

    Raises:
        LeakageError: something held out was handed over, or a scorer knows all answers.
    """
    truth = TruthMatrix.from_snapshot(inputs.snapshot)
    leakage.check_fold(fold, inputs.snapshot, truth)
    by_scorer = {name: _score(inputs, fold, truth, name) for name in inputs.scorers}
    return FoldOutcome(fold=fold, by_scorer=by_scorer)


def pair_ranks(scores: Scores, truth: TruthMatrix, snapshot: Snapshot, fold: Fold) -> tuple[Ranks, Ranks]:
    """Filtered ranks of the held-out items, TK->genomic and genomic->TK, in the order of ``held_out_items``."""
    items = held_out_items(snapshot, truth, fold)
    forward = filtered_ranks(scores.pair_scores, truth.pairs, items)
    backward = filtered_ranks(scores.genomic_to_tk, truth.pairs.T, items[:, ::-1])
    return forward, backward


def held_out_items(
    snapshot: Snapshot, truth: TruthMatrix, fold: Fold
) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """(practice, target) indices, int [N, 2]: each test pair once, on P0 each test row once."""
    if fold.protocol == "P0":
        return row_pairs(snapshot, truth, fold.test_rows)
    return np.argwhere(pair_mask(snapshot, truth, fold.test_rows))


def _score(inputs: EvaluationInputs, fold: Fold, truth: TruthMatrix, name: str) -> FoldScores:
    scorer = inputs.scorers[name]
    started = time.perf_counter()
    inner_rows, outer_rows = fold.training_rows, fold.training_rows + fold.validation_rows
    if takes_validation(scorer):
        snapshot, training = _side(inputs.snapshot, truth, fold, inner_rows)
        _, validation = _side(inputs.snapshot, truth, fold, fold.validation_rows)
        scores = scorer(snapshot, inputs.features, training, validation=validation, seed=fold.seed)
        inner_scores = scores.to_calibrate_on
    else:
        plain = cast(Scorer, scorer)
        scores = plain(*_fed(inputs, truth, fold, outer_rows))
        inner_scores = scores if fold.protocol == "P0" else plain(*_fed(inputs, truth, fold, inner_rows))
    seconds = time.perf_counter() - started
    if fold.protocol != "P0" and name not in inputs.oracles:
        leakage.check_not_the_answer(pair_ranks(scores, truth, inputs.snapshot, fold), name)
    calibration = _calibrate(inner_scores, truth, inputs.snapshot, fold)
    thresholds = fit_thresholds(inner_scores, truth, truth.pairs & fold.validation_cells) if calibration else {}
    return FoldScores(scores, calibration, thresholds, seconds)


def _fed(
    inputs: EvaluationInputs, truth: TruthMatrix, fold: Fold, rows: tuple[int, ...]
) -> tuple[Snapshot, TextFeatures, TruthMatrix]:
    snapshot, training = _side(inputs.snapshot, truth, fold, rows)
    return snapshot, inputs.features, training


def _side(whole: Snapshot, truth: TruthMatrix, fold: Fold, rows: tuple[int, ...]) -> tuple[Snapshot, TruthMatrix]:
    """Snapshot and truth of the named rows, checked to hold nothing of the test side.

    A practice of P2 or a target of P3 that the rows leave out is marked as unseen, linked or not: it is asked about as a
    new text is. On the training side that holds for the validation part too, whose rows then lift it.
    """
    snapshot = rows_snapshot(whole, rows)
    side = TruthMatrix.from_snapshot(snapshot)
    unseen = unseen_records(fold, validation=rows == fold.training_rows)
    side = replace(side, unseen_practices=unseen[0], unseen_targets=unseen[1])
    held_out = pair_mask(whole, truth, fold.test_rows) if fold.protocol != "P0" else np.zeros_like(truth.pairs)
    leakage.check_fed_truth(side, held_out, truth, f"{fold.protocol} fold {fold.index}")
    leakage.check_fed_snapshot(snapshot, held_out, truth)
    return snapshot, side


def _calibrate(scores: Scores, truth: TruthMatrix, snapshot: Snapshot, fold: Fold) -> dict[str, PlattCalibration]:
    """Platt per direction on the validation cells; P0 has none. Where few whole records calibrate (P2, P3), log odds are
    drawn to themselves; scores of another scale have nothing to be drawn to."""
    if fold.protocol == "P0":
        return {}
    cells: BoolArray = fold.validation_cells
    leakage.check_calibration(cells, fold.test_cells, pair_mask(snapshot, truth, fold.training_rows), truth)
    labels = truth.pairs[cells]
    prior = Prior() if scores.log_odds and fold.protocol in {"P2", "P3"} else None
    return {
        "tk_to_genomic": fit_platt(scores.pair_scores[cells], labels, prior),
        "genomic_to_tk": fit_platt(scores.genomic_to_tk.T[cells], labels, prior),
    }
