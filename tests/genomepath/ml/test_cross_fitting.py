"""Calibration reads each cell from a fit that did not see it, and never a cell that the training stopped by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.conformal import fit_thresholds
from genomepath.ml.cross_fitting import put_together
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.fold_scoring import EvaluationInputs, score_fold
from genomepath.ml.leakage import LeakageError
from genomepath.ml.scores import FixedFeatures, Scores
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.ml.splits import CALIBRATION_PARTS, calibration_folds, pair_mask, protocol_folds, stratified_pair_split
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
FEATURES = synthetic_features(SNAPSHOT)
PROTOCOLS = ("P1", "P2", "P3")
STOPPED_AFTER = 7


class Watcher:
    """A scorer that stops early after seven epochs, says of every cell which call it was, and notes its calls."""

    uses_validation = True
    calibration_parts = CALIBRATION_PARTS

    def __init__(self):
        self.calls = []

    def __call__(self, snapshot, features, training, /, *, validation, seed, epochs=None):
        self.calls.append((training, validation, epochs))
        number = np.random.default_rng(0).random(training.pairs.shape) / 10 + len(self.calls)
        scores = Scores.from_pairs(number)
        return Scores(
            scores.tk_to_genomic, scores.genomic_to_tk, epochs=epochs if epochs is not None else STOPPED_AFTER
        )


def judged(protocol, scorer):
    fold = protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0)[0]
    outcome = score_fold(EvaluationInputs(SNAPSHOT, FEATURES, {"model": scorer}, frozenset()), fold)
    return fold, outcome.by_scorer["model"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_calibration_parts_lie_apart_on_the_training_side(protocol):
    for fold in protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0):
        parts = np.sum([part.astype(int) for part in fold.calibration_parts], axis=0)

        assert len(fold.calibration_parts) == CALIBRATION_PARTS
        assert parts.max() == 1
        assert (parts + fold.validation_cells + fold.test_cells == 1).all()


def test_the_parts_of_the_shipped_split_lie_apart_on_its_training_side():
    split = stratified_pair_split(TRUTH, 0)
    parts = np.sum([part.astype(int) for part in split.calibration_parts], axis=0)

    assert parts.max() == 1
    assert not (parts.astype(bool) & (split.validation_cells | split.test_cells)).any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_fit_for_calibration_is_trained_on_the_validation_part_and_not_on_its_own(protocol):
    watcher = Watcher()
    fold, _ = judged(protocol, watcher)

    (first, _, epochs), *nested = watcher.calls
    assert epochs is None
    assert len(nested) == len(calibration_folds(fold, SNAPSHOT, TRUTH))
    for (training, held_out, epochs), part in zip(nested, calibration_folds(fold, SNAPSHOT, TRUTH), strict=True):
        assert epochs == STOPPED_AFTER
        assert not (training.pairs & part.validation_cells).any()
        assert (held_out.pairs == (TRUTH.pairs & part.validation_cells)).all()
        assert (training.pairs & fold.validation_cells == TRUTH.pairs & fold.validation_cells).all()
        assert not (training.pairs & fold.test_cells).any()
    assert (first.pairs == pair_mask(SNAPSHOT, TRUTH, fold.training_rows)).all()


def test_a_part_of_whole_records_is_unseen_to_its_fit():
    watcher = Watcher()
    fold, _ = judged("P2", watcher)

    for (training, _, _), part in zip(watcher.calls[1:], fold.calibration_parts, strict=True):
        assert training.unseen_practices == set(np.flatnonzero((part | fold.test_cells).all(axis=1)))


def test_the_sets_are_calibrated_on_every_part_but_the_one_that_stopped_the_training():
    watcher = Watcher()
    fold, found = judged("P1", watcher)
    parts = [(cells, Scores.from_pairs(_number(call))) for call, cells in enumerate(fold.calibration_parts, start=2)]
    sample = put_together(parts)

    assert found.thresholds == fit_thresholds(sample.scores, TRUTH, TRUTH.pairs & sample.cells)
    assert found.thresholds[DIRECTIONS[0]].links == (TRUTH.pairs & ~fold.validation_cells & ~fold.test_cells).sum()


def test_a_scorer_that_is_not_cross_fitted_is_calibrated_on_the_validation_part():
    watcher = Watcher()
    watcher.calibration_parts = 0
    fold, found = judged("P1", watcher)

    assert len(watcher.calls) == 1
    assert found.thresholds[DIRECTIONS[0]].links == (TRUTH.pairs & fold.validation_cells).sum()


def test_a_scorer_asks_for_as_many_fits_as_it_can_afford():
    watcher = Watcher()
    watcher.calibration_parts = 2
    fold, found = judged("P1", watcher)

    assert len(watcher.calls) == 3
    cells = fold.calibration_parts[0] | fold.calibration_parts[1]
    assert found.thresholds[DIRECTIONS[0]].links == (TRUTH.pairs & cells).sum()


def test_a_baseline_is_calibrated_on_every_part_by_fits_that_did_not_see_it():
    trained = []

    def baseline(snapshot, features, training, /):
        trained.append(training.pairs)
        return Scores.from_pairs(np.random.default_rng(0).random(training.pairs.shape))

    fold, found = judged("P1", baseline)

    assert (trained[0] == (TRUTH.pairs & ~fold.test_cells)).all()
    for pairs, cells in zip(trained[1:], fold.calibration_parts, strict=True):
        assert (pairs == (TRUTH.pairs & ~fold.test_cells & ~cells)).all()
    assert found.thresholds[DIRECTIONS[0]].links == (TRUTH.pairs & ~fold.validation_cells & ~fold.test_cells).sum()


def test_features_of_its_own_do_not_change_how_a_scorer_is_calibrated():
    watcher = Watcher()
    judged("P1", FixedFeatures(watcher, FEATURES))

    assert len(watcher.calls) == 1 + CALIBRATION_PARTS


def test_a_test_row_in_a_calibration_part_makes_the_run_fail():
    fold = protocol_folds("P1", SNAPSHOT, TRUTH, seed=0)[0]
    parts = (fold.calibration_parts[0] | fold.test_cells, *fold.calibration_parts[1:])
    inputs = EvaluationInputs(SNAPSHOT, FEATURES, {"model": Watcher()}, frozenset())

    with pytest.raises(LeakageError, match="P1: correlation rows in validation and test"):
        score_fold(inputs, replace(fold, calibration_parts=parts))


def test_each_cell_is_read_from_the_fit_that_did_not_see_it():
    first, second = np.zeros((2, 20, 16), dtype=bool)
    first[:10], second[10:] = True, True
    sample = put_together(
        [(first, Scores.from_pairs(np.full((20, 16), 1.0))), (second, Scores.from_pairs(np.full((20, 16), 2.0)))]
    )

    assert (sample.scores.pair_scores[:10] == 1).all()
    assert (sample.scores.pair_scores[10:] == 2).all()
    assert (sample.scores.pair_scores == sample.scores.genomic_to_tk.T).all()
    assert sample.cells.all()


def test_parts_that_share_a_cell_are_refused():
    everything, scores = np.ones((20, 16), dtype=bool), Scores.from_pairs(np.zeros((20, 16)))

    with pytest.raises(ValueError, match="share a cell"):
        put_together([(everything, scores), (everything, scores)])


def _number(call):
    return np.random.default_rng(0).random(TRUTH.pairs.shape) / 10 + call
