"""Asks the scorers for one outer fold: hands over the training side, calibrates on held-out parts of it, checks.

The oracle is the rule by which labels were derived; it needs no training and is exempt from the check of its answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from genomepath.ml import leakage
from genomepath.ml.calibration import Prior
from genomepath.ml.confidence_curves import ConfidenceCurves, fit_curves
from genomepath.ml.conformal import SetThreshold, fit_thresholds
from genomepath.ml.cross_fitting import CalibrationSample, put_together
from genomepath.ml.dataset import TextFeatures, TruthMatrix
from genomepath.ml.ranks import Ranks, filtered_ranks
from genomepath.ml.scores import Scorer, Scores, ValidatedScorer, fitted_parts, takes_validation
from genomepath.ml.snapshot import Snapshot
from genomepath.ml.splits import Fold, calibration_folds, pair_mask, row_pairs, rows_snapshot, unseen_records

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
    """Scores of one scorer on one fold, its curves (P0: None), thresholds by direction (P0: none), seconds of its fits."""

    scores: Scores
    curves: ConfidenceCurves | None
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
    parts = calibration_folds(fold, inputs.snapshot, truth)
    for checked in (fold, *parts):
        _check(inputs, checked, truth)
    by_scorer = {name: _score(inputs, fold, parts, truth, name) for name in inputs.scorers}
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


def _score(inputs: EvaluationInputs, fold: Fold, parts: tuple[Fold, ...], truth: TruthMatrix, name: str) -> FoldScores:
    """``parts``: the fold with each calibration part in the place of the validation part."""
    scorer = inputs.scorers[name]
    started = time.perf_counter()
    if takes_validation(scorer):
        scores = _validated(inputs, fold, truth, scorer)
        chosen = parts[: fitted_parts(scorer)]
        fits = [(part, _validated(inputs, part, truth, scorer, scores.epochs).to_calibrate_on) for part in chosen]
        fits = fits or [(fold, scores.to_calibrate_on)]
    else:
        plain = cast(Scorer, scorer)
        scores = plain(*_fed(inputs, truth, fold, fold.training_rows + fold.validation_rows))
        chosen = () if fold.protocol == "P0" else parts or (fold,)
        fits = [(part, plain(*_fed(inputs, truth, part, part.training_rows))) for part in chosen]
    seconds = time.perf_counter() - started
    if fold.protocol != "P0" and name not in inputs.oracles:
        leakage.check_not_the_answer(pair_ranks(scores, truth, inputs.snapshot, fold), name)
    if fold.protocol == "P0":
        return FoldScores(scores, None, {}, seconds)
    sample = put_together((part.validation_cells, found) for part, found in fits)
    thresholds = fit_thresholds(sample.scores, truth, truth.pairs & sample.cells)
    return FoldScores(scores, _calibrate(sample, truth, fold), thresholds, seconds)


def _validated(
    inputs: EvaluationInputs, fold: Fold, truth: TruthMatrix, scorer: ValidatedScorer, epochs: int | None = None
) -> Scores:
    """The scores of a fit on the training part, stopped by the validation part or after ``epochs``."""
    snapshot, training = _side(inputs.snapshot, truth, fold, fold.training_rows)
    _, validation = _side(inputs.snapshot, truth, fold, fold.validation_rows)
    return scorer(snapshot, inputs.features, training, validation=validation, seed=fold.seed, epochs=epochs)


def _check(inputs: EvaluationInputs, fold: Fold, truth: TruthMatrix) -> None:
    leakage.check_fold(fold, inputs.snapshot, truth)
    if fold.protocol != "P0":
        trained = pair_mask(inputs.snapshot, truth, fold.training_rows)
        leakage.check_calibration(fold.validation_cells, fold.test_cells, trained, truth)


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


def _calibrate(sample: CalibrationSample, truth: TruthMatrix, fold: Fold) -> ConfidenceCurves:
    """The curves, fitted on the cells of the sample. Where few whole records calibrate (P2, P3), log odds are drawn to
    themselves; scores of another scale have nothing to be drawn to."""
    leakage.check_pairs_disjoint(sample.cells, fold.test_cells, truth, "calibration and test")
    prior = Prior() if sample.scores.log_odds and fold.protocol in {"P2", "P3"} else None
    return fit_curves(sample, truth, prior)
