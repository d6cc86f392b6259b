"""Ranks and ranking metrics against brute force and analytic expectations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from genomepath.ml.metrics import (
    chance_consistency,
    chance_hits_at,
    chance_reciprocal_ranks,
    consistency_terms,
    hits_at,
    reciprocal_ranks,
)
from genomepath.ml.ranks import filtered_ranks, list_ranks
from genomepath.ml.scores import ScoreError, Scores

matrices = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=7)


def brute_force_rank(scores, known, query, answer):
    """Mean position over all orders that agree with the scores."""
    rivals = [scores[query, j] for j in range(scores.shape[1]) if j != answer and not known[query, j]]
    own = scores[query, answer]
    optimistic = 1 + sum(value > own for value in rivals)
    pessimistic = 1 + sum(value >= own for value in rivals)
    return (optimistic + pessimistic) / 2


@given(data=st.data(), shape=matrices)
@settings(max_examples=100, deadline=None)
def test_filtered_ranks_equal_brute_force_with_ties(data, shape):
    scores = data.draw(hnp.arrays(np.float64, shape, elements=st.integers(0, 3).map(float)))
    known = data.draw(hnp.arrays(np.bool_, shape))
    cells = np.argwhere(known)

    found = filtered_ranks(scores, known, cells)

    assert found.ranks.tolist() == [brute_force_rank(scores, known, query, answer) for query, answer in cells]
    assert found.candidates.tolist() == [1 + int((~known[query]).sum()) for query, _ in cells]


@given(data=st.data(), shape=matrices)
@settings(max_examples=100, deadline=None)
def test_list_ranks_equal_brute_force_with_ties(data, shape):
    scores = data.draw(hnp.arrays(np.float64, shape, elements=st.integers(0, 3).map(float)))
    candidates = data.draw(hnp.arrays(np.bool_, shape))

    found = list_ranks(scores, candidates)

    for query, answer in np.ndindex(*shape):
        if candidates[query, answer]:
            assert found[query, answer] == brute_force_rank(scores, ~candidates, query, answer)
        else:
            assert found[query, answer] == np.inf


def test_other_known_pairs_of_the_query_are_no_rivals():
    scores = np.array([[3.0, 2.0, 1.0]])
    known = np.array([[True, True, False]])

    assert filtered_ranks(scores, known, np.array([[0, 1]])).ranks.tolist() == [1.0]


def test_a_constant_scorer_ranks_in_the_middle_and_hits_nothing_at_the_top():
    known = np.zeros((1, 41), dtype=bool)
    known[0, 7] = True
    ranks = filtered_ranks(np.zeros((1, 41)), known, np.array([[0, 7]])).ranks

    assert ranks.tolist() == [21.0]
    assert hits_at(ranks, 10).tolist() == [0.0]


def test_a_perfect_scorer_ranks_every_pair_first():
    known = np.random.default_rng(0).random((9, 8)) < 0.4
    ranks = filtered_ranks(known.astype(float), known, np.argwhere(known)).ranks

    assert reciprocal_ranks(ranks).mean() == 1.0
    assert hits_at(ranks, 1).mean() == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_cannot_be_ordered_is_refused(bad):
    scores = np.zeros((2, 2))
    scores[0, 1] = bad

    with pytest.raises(ScoreError, match="finite"):
        filtered_ranks(scores, np.eye(2, dtype=bool), np.array([[0, 0]]))
    with pytest.raises(ScoreError, match="finite"):
        list_ranks(scores, np.ones((2, 2), dtype=bool))
    with pytest.raises(ScoreError, match="finite"):
        Scores.from_pairs(scores)


def test_scores_of_disagreeing_shapes_are_refused():
    with pytest.raises(ScoreError, match="genomic_to_tk"):
        Scores(np.zeros((4, 3, 5)), np.zeros((4, 5)))
    with pytest.raises(ScoreError, match="tk_to_genomic"):
        Scores(np.zeros((4, 2, 5)), np.zeros((5, 4)))


def test_the_score_of_a_pair_is_its_maximum_over_doses():
    doses = np.arange(6, dtype=float).reshape(1, 3, 2)

    assert Scores(doses, np.zeros((2, 1))).pair_scores.tolist() == [[4.0, 5.0]]


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_chance_equals_the_mean_over_all_orders(count):
    positions = np.array([order.index(0) + 1 for order in permutations(range(count))])

    for k in (1, 3, 5):
        assert chance_hits_at([count], k)[0] == pytest.approx(hits_at(positions, k).mean())
    assert chance_reciprocal_ranks([count])[0] == pytest.approx(reciprocal_ranks(positions).mean())


def test_a_random_scorer_meets_the_analytic_chance():
    rng = np.random.default_rng(1)
    known = rng.random((30, 46)) < 0.1
    cells = np.argwhere(known)
    runs = [filtered_ranks(rng.random(known.shape), known, cells) for _ in range(60)]
    ranks = np.concatenate([run.ranks for run in runs])
    candidates = runs[0].candidates

    assert hits_at(ranks, 5).mean() == pytest.approx(chance_hits_at(candidates, 5).mean(), abs=0.01)
    assert reciprocal_ranks(ranks).mean() == pytest.approx(chance_reciprocal_ranks(candidates).mean(), abs=0.01)


def test_consistency_counts_pairs_found_from_both_sides():
    terms = consistency_terms([1, 5, 6, 9], [3, 4, 2, 30])  # A = {0, 1}, B = {0, 2}

    assert 2 * terms.both.sum() / terms.members.sum() == pytest.approx(2 * 1 / (2 + 2))
    assert terms.both.mean() == pytest.approx(1 / 4)


def test_consistency_of_abstaining_shows_in_the_share_of_all():
    terms = consistency_terms([1, 40, 40, 40], [1, 40, 40, 40])

    assert 2 * terms.both.sum() / terms.members.sum() == 1.0
    assert terms.both.mean() == 0.25


ranks_of_pairs = st.lists(
    st.tuples(st.integers(2, 20).map(lambda n: n / 2), st.integers(2, 20).map(lambda n: n / 2)), min_size=1, max_size=30
)


@given(pairs=ranks_of_pairs)
@settings(max_examples=100, deadline=None)
def test_consistency_equals_brute_force_with_ranks_of_ties(pairs):
    forward, backward = zip(*pairs, strict=True)
    first = {index for index, rank in enumerate(forward) if rank <= 5}
    second = {index for index, rank in enumerate(backward) if rank <= 3}

    terms = consistency_terms(forward, backward)

    assert 2 * terms.both.sum() == 2 * len(first & second)
    assert terms.members.sum() == len(first) + len(second)


def test_consistency_of_two_random_orders_is_what_chance_says():
    rng = np.random.default_rng(0)
    candidates, others = rng.integers(4, 40, size=40_000), rng.integers(4, 40, size=40_000)
    terms = consistency_terms(1 + rng.integers(0, candidates), 1 + rng.integers(0, others))

    expected = chance_consistency(candidates, others)

    assert terms.both.mean() == pytest.approx(expected.both.mean(), abs=0.005)
    found = 2 * terms.both.sum() / terms.members.sum()
    assert found == pytest.approx(2 * expected.both.sum() / expected.members.sum(), abs=0.01)
