"""Dose recall, dose concordance and synergy recognition: by hand, by brute force, and of scorers that are understood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from genomepath.ml.dose_metrics import CHANCE_CONCORDANCE, dose_concordance_terms, dose_recall_terms
from genomepath.ml.results import SYNERGY_RATES
from genomepath.ml.synergy_metrics import chance_recognition, synergy_recognition


def test_dose_recall_counts_held_out_targets_among_the_unseen():
    scores = np.arange(12, 0, -1, dtype=float)[None, :]
    known = np.zeros((1, 12), dtype=bool)
    known[0, [0, 4, 6, 11]] = True
    seen = np.zeros_like(known)
    seen[0, 0] = True

    terms = dose_recall_terms(scores, known, known & ~seen, seen)

    # Without the seen target 0, target 4 is fourth, 6 is sixth and 11 is eleventh.
    assert terms.pairs.tolist() == [[0, 4], [0, 6], [0, 11]]
    assert {k: found.tolist() for k, found in terms.found.items()} == {5: [1, 0, 0], 8: [1, 1, 0], 10: [1, 1, 0]}
    assert terms.chance[5].tolist() == pytest.approx([5 / 11] * 3)


def test_a_target_held_out_at_another_dose_is_a_rival_here():
    scores = np.array([[9.0, 8.0, 7.0, 6.0, 5.0, 4.0]])
    at_dose = np.array([[False, False, False, False, False, True]])
    test_pairs = np.ones((1, 6), dtype=bool)

    terms = dose_recall_terms(scores, at_dose, test_pairs, np.zeros_like(test_pairs))

    assert terms.found[5].tolist() == [0.0]


def test_practices_without_held_out_targets_at_the_dose_do_not_count():
    empty = np.zeros((2, 5), dtype=bool)

    assert dose_recall_terms(np.zeros((2, 5)), empty, empty, empty).pairs.size == 0


def known_doses():
    """Practice 0: target 0 low, 1 high only, 2 at all doses, 3 unknown. Practice 1: low alone."""
    known = np.zeros((2, 3, 4), dtype=bool)
    known[0, 0, 0] = known[0, 2, 1] = True
    known[0, :, 2] = True
    known[1, 0, 0] = True
    return known


@pytest.mark.parametrize(
    ("scores", "share"),
    [([0.9, 0.1, 0.5, 0.0], 1.0), ([0.1, 0.9, 0.5, 0.0], 0.0), ([0.5, 0.5, 0.5, 0.5], 0.5), ([0.1, 0.3, 0.5, 0], 0.5)],
)
def test_concordance_compares_low_dose_with_high_only_targets_in_a_practice(scores, share):
    terms = dose_concordance_terms(np.array([scores, scores]), known_doses())

    assert terms.practices.tolist() == [0]
    assert terms.comparisons.tolist() == [2.0]
    assert terms.concordant.sum() / terms.comparisons.sum() == pytest.approx(share)


NAMES = [f"FAKE{index}" for index in range(8)]


def synergy_case():
    """Pair (0, 1) is true for practices 0, 1, 2; pair (2, 3) for practice 0."""
    known = np.zeros((4, 8), dtype=bool)
    known[:3, :2] = True
    known[0, 2:4] = True
    return known, [(0, 1), (2, 3)]


def test_a_perfect_scorer_recognises_every_synergy():
    known, pairs = synergy_case()
    found = synergy_recognition(known + np.linspace(0, -0.1, 8), known, pairs, NAMES)

    assert found.recall == 1.0
    assert found.macro_recall == 1.0
    assert (found.instances, found.macro_pairs, found.commonest) == (4, 1, "FAKE0 + FAKE1")


def test_popularity_that_names_the_commonest_pair_alone_has_no_macro_recall():
    known, pairs = synergy_case()
    popular = np.tile([9.0, 8.0, 1.0, 0.0, 7.0, 6.0, 5.0, 2.0], (4, 1))

    found = synergy_recognition(popular, known, pairs, NAMES)

    assert found.recall == pytest.approx(3 / 4)
    assert found.precision == pytest.approx(3 / 4)  # named for all four practices, true for three
    assert found.f1 == pytest.approx(3 / 4)
    assert found.macro_recall == 0.0


def test_a_constant_scorer_recognises_nothing():
    known, pairs = synergy_case()
    found = synergy_recognition(np.zeros((4, 20)), np.pad(known, ((0, 0), (0, 12))), pairs, NAMES)

    assert (found.recall, found.recognised, found.precision) == (0.0, 0, None)


def test_without_true_instances_nothing_is_measured():
    found = synergy_recognition(np.zeros((2, 8)), np.zeros((2, 8), dtype=bool), [(0, 1)], NAMES)

    assert (found.recall, found.f1, found.macro_recall, found.commonest) == (None, None, None, "")


small_scores = hnp.arrays(np.float64, (4, 7), elements=st.integers(0, 3).map(float))
cells = hnp.arrays(np.bool_, (4, 7))


def expected_place(scores, candidates, target):
    """Mean place of a target among the candidates over all orders that agree with the scores."""
    better = sum(scores[other] > scores[target] for other in np.flatnonzero(candidates))
    tied = sum(scores[other] == scores[target] for other in np.flatnonzero(candidates)) - 1
    return 1 + better + tied / 2


@given(scores=small_scores, known=cells, test=cells, seen=cells)
@settings(max_examples=100, deadline=None)
def test_dose_recall_equals_brute_force_with_ties(scores, known, test, seen):
    seen = seen & ~test
    hits = {5: 0, 8: 0, 10: 0}
    held_out = 0
    for practice, target in np.argwhere(known & test):
        held_out += 1
        for k in hits:
            hits[k] += expected_place(scores[practice], ~seen[practice], target) <= k

    terms = dose_recall_terms(scores, known, test, seen)

    assert len(terms.pairs) == held_out
    assert {k: int(found.sum()) for k, found in terms.found.items()} == hits


def test_a_perfect_and_a_random_scorer_have_the_dose_recall_that_they_must():
    rng = np.random.default_rng(0)
    known = rng.random((4000, 20)) < 0.2
    nothing = np.zeros_like(known)

    random = dose_recall_terms(rng.random(known.shape), known, known, nothing)
    perfect = dose_recall_terms(known[:50].astype(float), known[:50], known[:50], nothing[:50])

    for k in (5, 8, 10):
        assert random.found[k].mean() == pytest.approx(k / 20, abs=0.01)
        assert random.chance[k].mean() == pytest.approx(k / 20)
    assert perfect.found[10].all()


@given(scores=small_scores, low=cells, high=cells)
@settings(max_examples=100, deadline=None)
def test_concordance_equals_brute_force_with_ties(scores, low, high):
    known = np.stack([low, np.zeros_like(low), high], axis=1)
    comparisons = concordant = 0.0
    for practice in range(len(scores)):
        for first in np.flatnonzero(low[practice]):
            for second in np.flatnonzero(high[practice] & ~low[practice]):
                comparisons += 1
                difference = scores[practice, first] - scores[practice, second]
                concordant += 0.5 if difference == 0 else float(difference > 0)

    terms = dose_concordance_terms(scores, known)

    assert (terms.comparisons.sum(), terms.concordant.sum()) == (comparisons, concordant)


def test_concordance_of_a_random_scorer_is_one_half():
    rng = np.random.default_rng(0)
    known = np.zeros((3000, 3, 8), dtype=bool)
    known[:, 0, :3] = known[:, 2, 3:6] = True

    terms = dose_concordance_terms(rng.random((3000, 8)), known)

    assert terms.concordant.sum() / terms.comparisons.sum() == pytest.approx(CHANCE_CONCORDANCE, abs=0.01)


@given(scores=small_scores, known=cells, pairs=st.sets(st.sampled_from([(0, 1), (1, 2), (0, 3), (4, 6)]), min_size=1))
@settings(max_examples=100, deadline=None)
def test_synergy_equals_brute_force_with_ties(scores, known, pairs):
    ordered = sorted(pairs)
    everything = np.ones(7, dtype=bool)
    true = recognised = both = 0
    for a, b in ordered:
        for practice in range(len(known)):
            top = all(expected_place(scores[practice], everything, target) <= 5 for target in (a, b))
            instance = bool(known[practice, a] and known[practice, b])
            true, recognised, both = true + instance, recognised + top, both + (instance and top)

    found = synergy_recognition(scores, known, ordered, NAMES)

    assert (found.instances, found.recognised, found.true_recognised) == (true, recognised, both)
    if true:
        assert found.recall == pytest.approx(both / true)
        assert found.f1 == pytest.approx(2 * both / (true + recognised))


def test_synergy_of_a_random_scorer_is_what_chance_says():
    rng = np.random.default_rng(0)
    known = rng.random((20_000, 20)) < 0.4
    pairs = [(0, 1), (2, 3), (4, 5)]
    found = synergy_recognition(rng.random(known.shape), known, pairs, [f"FAKE{index}" for index in range(20)])

    chance = chance_recognition(known, pairs)

    for rate, expected in chance.items():
        assert getattr(found, rate) == pytest.approx(expected, abs=0.02)
    assert set(chance) == set(SYNERGY_RATES)
    assert chance_recognition(np.zeros((2, 8), dtype=bool), [(0, 1)]) == {}
