"""ECE, Brier and reliability: zero for the calibrated, plain for the constant, honest on few points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomepath.ml.metrics import brier_terms, expected_calibration_error, reliability_bins


def calibrated_sample(size, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.random(size)
    return probabilities, rng.random(size) < probabilities


def test_plain_ece_equals_the_definition_on_a_hand_made_case():
    probabilities = [0.1, 0.1, 0.9, 0.9]
    labels = [0, 1, 1, 1]

    ece = expected_calibration_error(probabilities, labels, bins=2, debiased=False)

    assert ece == pytest.approx(0.5 * abs(0.1 - 0.5) + 0.5 * abs(0.9 - 1.0))


def test_bins_hold_equal_mass_and_all_points():
    probabilities, labels = calibrated_sample(103, 0)
    sizes = [cell.count for cell in reliability_bins(probabilities, labels)]

    assert sum(sizes) == 103
    assert max(sizes) - min(sizes) <= 1


def test_on_few_points_debiasing_takes_off_the_noise_of_a_calibrated_scorer():
    samples = [calibrated_sample(150, seed) for seed in range(150)]
    plain = np.mean([expected_calibration_error(p, y, debiased=False) for p, y in samples])
    debiased = np.mean([expected_calibration_error(p, y) for p, y in samples])

    assert plain > 0.07
    assert debiased < 0.6 * plain


def test_a_large_calibrated_sample_has_almost_no_error():
    assert expected_calibration_error(*calibrated_sample(200_000, 0)) < 0.005


def test_a_constant_overconfidence_is_measured_in_full():
    rng = np.random.default_rng(0)
    labels = rng.random(20_000) < 0.3

    assert expected_calibration_error(np.full(20_000, 0.5), labels) == pytest.approx(0.2, abs=0.01)


def test_perfect_answers_with_full_confidence_have_no_error():
    assert expected_calibration_error([1.0, 0.0, 1.0], [1, 0, 1]) == 0.0


@given(seed=st.integers(0, 1000), size=st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_debiased_ece_lies_between_zero_and_the_plain_one(seed, size):
    probabilities, labels = calibrated_sample(size, seed)
    plain = expected_calibration_error(probabilities, labels, debiased=False)

    assert 0.0 <= expected_calibration_error(probabilities, labels) <= plain + 1e-12


def test_ece_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no points"):
        expected_calibration_error([], [])


def test_brier_is_the_squared_distance():
    assert brier_terms([0.2, 0.9], [0, 1]).tolist() == pytest.approx([0.04, 0.01])
