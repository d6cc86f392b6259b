"""Each way in which an answer could reach a scorer fails the run with a message that names it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from genomepath.ml import leakage
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.evaluation import evaluate
from genomepath.ml.leakage import LeakageError
from genomepath.ml.ranks import Ranks
from genomepath.ml.scores import Scores
from genomepath.ml.splits import PROTOCOLS, pair_mask, protocol_folds, rows_snapshot
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)


def first_fold(protocol="P1"):
    return protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0)[0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_folds_of_every_protocol_pass(protocol):
    for fold in protocol_folds(protocol, SNAPSHOT, TRUTH, seed=1):
        leakage.check_fold(fold, SNAPSHOT, TRUTH)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_correlation_row_on_two_sides_fails(protocol):
    fold = first_fold(protocol)
    leaking = replace(fold, training_rows=(*fold.training_rows, fold.test_rows[0]))
    slug = SNAPSHOT.correlations[fold.test_rows[0]].practice

    with pytest.raises(LeakageError, match=f"training and test: {slug}"):
        leakage.check_fold(leaking, SNAPSHOT, TRUTH)


@pytest.mark.parametrize("other", ["training", "validation"])
def test_a_pair_on_two_sides_fails_even_when_its_rows_are_apart(other):
    fold = first_fold()
    pairs = [(row.practice, row.target) for row in SNAPSHOT.correlations]
    first = next(row for row in fold.test_rows if pairs.count(pairs[row]) == 2)
    moved = {
        "test_rows": tuple(row for row in fold.test_rows if row != first),
        f"{other}_rows": (*getattr(fold, f"{other}_rows"), first),
    }

    with pytest.raises(LeakageError, match=r"share \(practice, target\) pairs: " + pairs[first][0]):
        leakage.check_fold(replace(fold, **moved), SNAPSHOT, TRUTH)


@pytest.mark.parametrize(("protocol", "unit"), [("P2", "practices"), ("P3", "targets")])
def test_an_unseen_practice_or_target_that_was_seen_fails(protocol, unit):
    fold = replace(first_fold("P1"), protocol=protocol)

    with pytest.raises(LeakageError, match=f"{protocol}: .* share {unit}: "):
        leakage.check_fold(fold, SNAPSHOT, TRUTH)


def test_a_truth_that_holds_a_held_out_pair_fails():
    fold = first_fold()
    held_out = pair_mask(SNAPSHOT, TRUTH, fold.test_rows)

    leakage.check_fed_truth(TRUTH.without_pairs(held_out), held_out, TRUTH, "training")
    with pytest.raises(LeakageError, match="training holds held-out pairs, the answer itself"):
        leakage.check_fed_truth(TRUTH, held_out, TRUTH, "training")


def test_a_truth_over_another_catalogue_fails():
    nothing = np.zeros_like(TRUTH.pairs)
    reordered = replace(TRUTH, practices=TRUTH.practices[::-1])

    with pytest.raises(LeakageError, match="another catalogue"):
        leakage.check_fed_truth(reordered, nothing, TRUTH, "training")


def test_a_snapshot_that_holds_a_held_out_row_fails():
    fold = first_fold()
    held_out = pair_mask(SNAPSHOT, TRUTH, fold.test_rows)

    leakage.check_fed_snapshot(rows_snapshot(SNAPSHOT, fold.training_rows), held_out, TRUTH)
    with pytest.raises(LeakageError, match="the snapshot handed to a scorer and the test side share"):
        leakage.check_fed_snapshot(SNAPSHOT, held_out, TRUTH)


def test_a_calibration_cell_that_is_a_test_cell_fails():
    fold = first_fold()
    trained = pair_mask(SNAPSHOT, TRUTH, fold.training_rows)

    leakage.check_calibration(fold.validation_cells, fold.test_cells, trained, TRUTH)
    with pytest.raises(LeakageError, match="calibration and test share"):
        leakage.check_calibration(fold.validation_cells | fold.test_cells, fold.test_cells, trained, TRUTH)


def test_a_calibration_cell_that_was_trained_on_fails():
    fold = first_fold()
    trained = pair_mask(SNAPSHOT, TRUTH, fold.training_rows)

    with pytest.raises(LeakageError, match="calibration and training share"):
        leakage.check_calibration(fold.validation_cells | trained, fold.test_cells, trained, TRUTH)


def test_the_message_names_three_pairs_and_counts_the_rest():
    everything = np.ones_like(TRUTH.pairs)

    with pytest.raises(LeakageError, match=f"and {everything.size - 3} more"):
        leakage.check_pairs_disjoint(everything, everything, TRUTH, "two sides")


def test_all_held_out_pairs_first_in_both_directions_is_the_answer_and_not_skill():
    perfect = Ranks(np.ones(25), np.full(25, 16))
    good = Ranks(np.r_[np.ones(24), 2.0], np.full(25, 16))

    leakage.check_not_the_answer([perfect, good], "model")
    with pytest.raises(LeakageError, match="'model' places all held-out pairs first"):
        leakage.check_not_the_answer([perfect, perfect], "model")


def test_a_handful_of_pairs_may_all_come_first():
    leakage.check_not_the_answer([Ranks(np.ones(5), np.full(5, 16))] * 2, "model")


@dataclass(frozen=True)
class Cheat:
    """Was given the truth by a door of its own."""

    truth: TruthMatrix

    def __call__(self, snapshot, features, training, /):
        return Scores.from_pairs(self.truth.pairs.astype(float))


def test_a_run_with_a_scorer_that_was_fed_the_answer_fails():
    with pytest.raises(LeakageError, match=r"'cheat'.*fed the answer"):
        evaluate(SNAPSHOT, synthetic_features(SNAPSHOT), {"cheat": Cheat(TRUTH)}, protocols=["P1"])
