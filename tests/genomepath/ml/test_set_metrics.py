"""Coverage and size of the 90% sets, against brute force and against what a random scorer must get."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from genomepath.ml.aggregation import ProtocolData
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.evaluation import evaluate
from genomepath.ml.fold_scoring import EvaluationInputs, score_fold
from genomepath.ml.scores import Scores
from genomepath.ml.set_metrics import set_result, sets_verdict
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.ml.splits import pair_mask, protocol_folds
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=24, targets=20)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
FEATURES = synthetic_features(SNAPSHOT)


@dataclass(frozen=True)
class Guess:
    """Scores at random, the same for every training side, so that links of all sides are exchangeable."""

    seed: int

    def __call__(self, snapshot, features, training, /):
        rng = np.random.default_rng(self.seed)
        return Scores(rng.random(training.confidence.shape), rng.random(training.pairs.T.shape))


@dataclass(frozen=True)
class Knows:
    """The truth itself with a little noise, so that no leakage check stops it."""

    def __call__(self, snapshot, features, training, /):
        noise = np.random.default_rng(0).normal(scale=0.4, size=TRUTH.pairs.shape)
        return Scores.from_pairs(TRUTH.pairs + noise)


def outcomes(scorer, protocol):
    inputs = EvaluationInputs(SNAPSHOT, FEATURES, {"scorer": scorer}, frozenset())
    folds = protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0, folds=3)
    return ProtocolData(protocol, SNAPSHOT, TRUTH, [score_fold(inputs, fold) for fold in folds])


def in_set(scored, way, practice, target, dose):
    least = scored.thresholds[way].least_logit
    scores = scored.scores.tk_to_genomic[practice, dose, target], scored.scores.genomic_to_tk[target, practice]
    return least is None or scores[DIRECTIONS.index(way)] >= least


def brute_force(data, way):
    """(coverage of each held-out link, size of each question's set), cell by cell."""
    covered, sizes = [], []
    for outcome in data.outcomes:
        fold, scored = outcome.fold, outcome.by_scorer["scorer"]
        seen = pair_mask(SNAPSHOT, TRUTH, fold.training_rows + fold.validation_rows)
        held_out = pair_mask(SNAPSHOT, TRUTH, fold.test_rows)

        for p, g in np.argwhere(held_out):
            doses = np.flatnonzero(TRUTH.confidence[p, :, g])
            covered.append(np.mean([in_set(scored, way, p, g, d) for d in doses]))
        matrix = held_out if way == "tk_to_genomic" else held_out.T
        for question in np.flatnonzero(matrix.any(axis=1)):
            cells = [(question, g) for g in range(20)] if way == "tk_to_genomic" else [(p, question) for p in range(24)]
            sizes.append(sum(in_set(scored, way, p, g, d) for p, g in cells if not seen[p, g] for d in range(3)) / 3)
    return covered, sizes


@pytest.mark.parametrize("protocol", ["P1", "P2", "P3"])
@pytest.mark.parametrize("way", DIRECTIONS)
def test_coverage_and_size_are_what_counting_cell_by_cell_gives(protocol, way):
    data = outcomes(Guess(3), protocol)

    found = set_result(data, "scorer", way)

    covered, sizes = brute_force(data, way)
    assert found.coverage.value == pytest.approx(np.mean(covered))
    assert found.size.value == pytest.approx(np.mean(sizes))


def test_a_random_scorer_is_covered_as_promised_by_sets_as_large_as_chance():
    scorers = {f"g{seed}": Guess(seed) for seed in range(30)}
    protocol = evaluate(SNAPSHOT, FEATURES, scorers, protocols=["P1"]).protocols["P1"]

    for way in DIRECTIONS:
        sets = [row.directions[way].sets for row in protocol.scorers.values()]
        coverages = [found.coverage.measured[0] for found in sets if found]
        assert np.mean(coverages) == pytest.approx(0.92, abs=0.03)
        sizes = np.mean([found.size.measured[0] for found in sets if found])
        assert sizes == pytest.approx(protocol.chance.set_size[way], rel=0.08)


def test_a_scorer_that_knows_needs_small_sets_for_the_same_coverage():
    protocol = evaluate(SNAPSHOT, FEATURES, {"knows": Knows()}, protocols=["P1"]).protocols["P1"]

    for way in DIRECTIONS:
        sets = protocol.scorers["knows"].directions[way].sets
        assert sets is not None
        assert sets.coverage.measured[0] > 0.8
        assert sets.size.measured[0] < protocol.chance.set_size[way] / 2


def test_memory_has_no_sets():
    found = evaluate(SNAPSHOT, FEATURES, {"guess": Guess(0)}, protocols=["P0"]).protocols["P0"]

    assert found.scorers["guess"].directions["tk_to_genomic"].sets is None
    assert found.chance.set_size == {}


def test_the_verdict_is_whether_the_interval_contains_90():
    protocol = evaluate(SNAPSHOT, FEATURES, {"guess": Guess(0)}, protocols=["P1"]).protocols["P1"]
    sets = protocol.scorers["guess"].directions["tk_to_genomic"].sets

    assert sets is not None
    _, low, high = sets.coverage.measured
    assert sets_verdict(sets) == (low <= 0.9 <= high)
