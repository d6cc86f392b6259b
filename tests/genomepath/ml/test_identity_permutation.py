"""With permuted identities a scorer lies at chance, and one that was given the answers does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import pytest

from genomepath.ml import leakage, metrics
from genomepath.ml.baselines import BASELINES
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.identity_permutation import (
    Among,
    PermutedRanks,
    chance_interval,
    permute_identities,
    permuted_ranks,
    pooled,
)
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.ml.splits import pair_mask, protocol_folds
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
FEATURES = synthetic_features(SNAPSHOT)
PROTOCOLS = ("P1", "P2", "P3")


def permuted(protocol, seed=0):
    fold = protocol_folds(protocol, SNAPSHOT, TRUTH, seed=seed)[0]
    return fold, permute_identities(SNAPSHOT, FEATURES, fold, np.random.default_rng(seed))


@dataclass(frozen=True)
class Leaking:
    """Order by chance, but for the links, two thirds of which it was given."""

    truth: TruthMatrix

    def __call__(self, snapshot, features, training, /):
        rng = np.random.default_rng(int(np.argwhere(training.pairs).sum()))
        noise = rng.random(training.pairs.shape)
        given = self.truth.pairs & (rng.random(training.pairs.shape) < 2 / 3)
        return Scores.from_pairs(noise + given)


@dataclass(frozen=True)
class ByPlace:
    """One order of the catalogue for every query, whatever it was given: all answers stand or fall together."""

    seed: int

    def __call__(self, snapshot, features, training, /):
        rng = np.random.default_rng([self.seed, int(np.argwhere(training.pairs).sum())])
        practices, targets = training.pairs.shape
        return Scores(
            np.broadcast_to(rng.random(targets), training.confidence.shape),
            np.broadcast_to(rng.random(practices), (targets, practices)),
        )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_fold_keeps_its_promises_and_its_held_out_links(protocol):
    fold, found = permuted(protocol)

    truth = TruthMatrix.from_snapshot(found.snapshot)
    leakage.check_fold(found.fold, found.snapshot, truth)
    held_out = pair_mask(found.snapshot, truth, found.fold.test_rows)
    known = pair_mask(found.snapshot, truth, found.fold.training_rows + found.fold.validation_rows)
    assert (held_out == pair_mask(SNAPSHOT, TRUTH, fold.test_rows) & ~known).all()
    assert held_out.any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_record_has_as_many_training_links_as_the_one_whose_text_it_has(protocol):
    fold, found = permuted(protocol)

    def links_by_text(snapshot, features, rows):
        pairs = pair_mask(snapshot, TruthMatrix.from_snapshot(snapshot), rows)
        return sorted(zip(features.practice_text[:, 0].tolist(), pairs.sum(axis=1).tolist(), strict=True))

    assert links_by_text(found.snapshot, found.features, found.fold.training_rows) == links_by_text(
        SNAPSHOT, FEATURES, fold.training_rows
    )


@pytest.mark.parametrize(("protocol", "axis"), [("P2", 1), ("P3", 0)])
def test_unseen_records_change_places_among_themselves(protocol, axis):
    fold, found = permuted(protocol)

    unseen = fold.test_cells.all(axis=axis)
    own, other = ((features.practice_text, features.target_text)[1 - axis] for features in (FEATURES, found.features))
    assert (found.fold.test_cells == fold.test_cells).all()
    assert sorted(own[unseen, 0].tolist()) == sorted(other[unseen, 0].tolist())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["zero-shot cosine", "pair-feature stacker"])
def test_a_scorer_that_learns_from_the_training_side_lies_at_chance(protocol, name):
    """Neither gives ties, which stand in the middle of their places instead of at random."""
    for way, ranks in many_ranks(BASELINES[name], protocol).items():
        assert at_chance(ranks, way), name


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_scorer_that_was_given_two_thirds_of_the_answers_does_not(protocol):
    for way, ranks in many_ranks(Leaking(TRUTH), protocol).items():
        assert not at_chance(ranks, way)


def test_two_answers_of_one_order_have_the_correlation_that_the_interval_takes():
    competitors = 4
    orders = np.array(list(permutations(range(2 + competitors))))
    ranks = 1 + (orders[:, None, 2:] < orders[:, :2, None]).sum(axis=2)

    assert np.corrcoef(1 / ranks[:, 0], 1 / ranks[:, 1])[0, 1] == pytest.approx(1 / (competitors + 2))


@pytest.mark.parametrize("k", [None, 3])
def test_the_deviation_is_that_of_orders_drawn_at_random(k):
    rng = np.random.default_rng(0)
    counts, answers = np.array([9, 9, 9, 9]), np.array([0, 0, 1, 2])
    ranks = PermutedRanks(counts.astype(float), counts, answers, np.zeros(4, dtype=int))
    means = []
    for _ in range(20_000):
        order = rng.permutation(11)
        drawn = np.array([1 + (order[3:] < order[answer]).sum() for answer in answers])
        means.append((metrics.reciprocal_ranks(drawn) if k is None else metrics.hits_at(drawn, k)).mean())

    found = chance_interval(ranks, k)
    assert found.mean == pytest.approx(np.mean(means), abs=0.005)
    assert found.deviation == pytest.approx(np.std(means), rel=0.03)


def test_folds_are_independent():
    one = PermutedRanks(np.ones(2), np.array([9, 9]), np.zeros(2, dtype=int), np.zeros(2, dtype=int))
    two = replace(one, folds=np.arange(2))

    assert chance_interval(one).deviation == pytest.approx(np.sqrt(2) * chance_interval(two).deviation)


def test_an_order_that_is_the_same_for_every_query_stays_in_the_interval_as_often_as_it_says():
    inside = []
    for seed in range(40):
        ranks = permuted_ranks(SNAPSHOT, FEATURES, ByPlace(seed), "P1", seed=seed)[Among.UNSEEN]["tk_to_genomic"]
        inside.append(chance_interval(ranks).holds(float(metrics.reciprocal_ranks(ranks.ranks).mean())))

    assert np.mean(inside) >= 0.9


def many_ranks(scorer, protocol, seeds=range(4)):
    found = [permuted_ranks(SNAPSHOT, FEATURES, scorer, protocol, seed=seed)[Among.UNSEEN] for seed in seeds]
    return {way: pooled([ranks[way] for ranks in found]) for way in DIRECTIONS}


def at_chance(ranks, way, deviations=3.0):
    """Both numbers; three deviations, because many are looked at."""
    k = 5 if way == "tk_to_genomic" else 3
    mrr, hits = metrics.reciprocal_ranks(ranks.ranks).mean(), metrics.hits_at(ranks.ranks, k).mean()
    return chance_interval(ranks).holds(float(mrr), deviations) and chance_interval(ranks, k).holds(
        float(hits), deviations
    )
