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


def brute_force_ece(probabilities, labels, bins):
    """Plain ECE: sorted, cut into bins at equal places, a cut inside equal probabilities moved to where these begin."""
    points = sorted(zip(probabilities, labels, strict=True), key=lambda point: point[0])
    groups: dict[int, list[tuple[float, int]]] = {}
    starts = {next(i for i, p in enumerate(points) if p[0] == points[b * len(points) // bins][0]) for b in range(bins)}
    current = 0
    for index, point in enumerate(points):
        current = index if index in starts else current
        groups.setdefault(current, []).append(point)
    return sum(abs(sum(p for p, _ in g) - sum(y for _, y in g)) for g in groups.values()) / len(points)


@given(
    points=st.lists(st.tuples(st.integers(0, 4).map(lambda n: n / 4), st.integers(0, 1)), min_size=1, max_size=40),
    bins=st.integers(1, 10),
)
@settings(max_examples=150, deadline=None)
def test_plain_ece_equals_brute_force_with_ties(points, bins):
    probabilities, labels = zip(*points, strict=True)

    found = expected_calibration_error(probabilities, labels, bins, debiased=False)

    assert found == pytest.approx(brute_force_ece(probabilities, labels, bins))


def test_a_constant_that_is_right_has_no_error_in_whatever_order_its_labels_come():
    labels = [1] * 20 + [0] * 20

    assert expected_calibration_error([0.5] * 40, labels) == 0.0
    assert expected_calibration_error([0.5] * 40, labels[::-1], debiased=False) == 0.0


def test_a_scorer_that_knows_nothing_is_off_by_what_it_says_and_the_share_that_is_true():
    """A third is true: |p - 1/3| over p drawn evenly from 0 to 1 has the mean 5/18."""
    rng = np.random.default_rng(0)
    probabilities, labels = rng.random(200_000), rng.random(200_000) < 1 / 3

    assert expected_calibration_error(probabilities, labels, bins=100) == pytest.approx(5 / 18, abs=0.005)


def test_the_debiased_error_of_many_samples_is_nearer_to_the_true_one_than_the_plain():
    """True error 0.1: the probabilities say a tenth too much."""
    plain, debiased = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        probabilities = 0.2 + 0.7 * rng.random(150)
        labels = rng.random(150) < probabilities - 0.1
        plain.append(expected_calibration_error(probabilities, labels, debiased=False))
        debiased.append(expected_calibration_error(probabilities, labels))

    assert abs(np.mean(debiased) - 0.1) < 0.5 * abs(np.mean(plain) - 0.1)


@given(seed=st.integers(0, 1000), size=st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_brier_equals_brute_force_and_is_the_noise_alone_for_the_true_probability(seed, size):
    probabilities, labels = calibrated_sample(size, seed)

    expected = sum((p - float(y)) ** 2 for p, y in zip(probabilities, labels, strict=True)) / size

    assert brier_terms(probabilities, labels).mean() == pytest.approx(expected)


def test_brier_of_a_perfect_and_of_a_knowing_scorer():
    probabilities, labels = calibrated_sample(200_000, 1)

    assert brier_terms(labels, labels).mean() == 0.0
    assert brier_terms(probabilities, labels).mean() == pytest.approx(1 / 6, abs=0.005)  # mean of p (1 - p)
