"""Dose recall, dose concordance and synergy recognition on cases checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from genomepath.ml.dose_metrics import dose_concordance_terms, dose_recall_terms
from genomepath.ml.synergy_metrics import synergy_recognition


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
