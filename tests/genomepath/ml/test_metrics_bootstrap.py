"""Intervals: practices are drawn, never pairs; differences are paired."""

from __future__ import annotations

import numpy as np
import pytest

from genomepath.ml.bootstrap import (
    Estimate,
    mean_estimate,
    paired_difference,
    ratio_estimate,
    statistic_estimate,
)
from genomepath.ml.metrics import expected_calibration_error


def test_a_mean_lies_in_its_interval_and_repeats_exactly():
    values, clusters = np.random.default_rng(0).random(60), np.arange(60) % 12

    first, again = mean_estimate(values, clusters), mean_estimate(values, clusters)

    assert first == again
    value, low, high = first.measured
    assert low < value < high
    assert (first.count, first.clusters) == (60, 12)


def test_interval_of_independent_values_agrees_with_the_normal_one():
    values = np.random.default_rng(0).normal(size=400)
    error = values.std() / np.sqrt(400)

    value, low, high = mean_estimate(values, np.arange(400)).measured

    assert low == pytest.approx(value - 1.96 * error, abs=0.015)
    assert high == pytest.approx(value + 1.96 * error, abs=0.015)


def test_repeating_the_pairs_of_a_practice_does_not_narrow_the_interval():
    per_practice = np.random.default_rng(0).random(20)

    once = mean_estimate(per_practice, np.arange(20))
    many = mean_estimate(np.repeat(per_practice, 30), np.repeat(np.arange(20), 30))

    assert (many.low, many.high) == pytest.approx((once.low, once.high))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(120):
        practice_effect = np.repeat(rng.normal(size=40), 5)
        estimate = mean_estimate(practice_effect + rng.normal(size=200), np.repeat(np.arange(40), 5))
        _, low, high = estimate.measured
        covered += low <= 0.0 <= high

    assert 0.86 <= covered / 120 <= 1.0


def test_pairing_takes_the_common_difficulty_of_practices_away():
    difficulty = np.random.default_rng(0).normal(size=50)

    estimate = paired_difference(difficulty + 0.1, difficulty, np.arange(50))

    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.1, 0.1, 0.1))


def test_pairing_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match="align"):
        paired_difference([1.0], [1.0, 2.0], [0])


def test_a_ratio_is_the_ratio_of_sums():
    assert ratio_estimate([1, 3], [2, 4], [0, 1]).value == pytest.approx(4 / 6)


def test_nothing_to_measure_gives_no_number():
    assert mean_estimate([], []) == Estimate(None, None, None, 0, 0)
    assert ratio_estimate([0.0], [0.0], [0]).value is None
    with pytest.raises(ValueError, match="nothing was measured"):
        _ = mean_estimate([], []).measured


def test_any_statistic_gets_an_interval_that_holds_its_value():
    values = np.random.default_rng(0).random(40)

    estimate = statistic_estimate(lambda drawn: float(np.median(values[drawn])), np.arange(40) % 8, resamples=200)

    value, low, high = estimate.measured
    assert value == pytest.approx(float(np.median(values)))
    assert low <= value <= high


def errors_of(shift, seed):
    """44 practices of 5 answers each, of which the probabilities say ``shift`` too much, and their practices."""
    rng = np.random.default_rng(seed)
    probabilities = shift + (1 - shift) * rng.random(220)
    return probabilities, rng.random(220) < probabilities - shift, np.repeat(np.arange(44), 5)


def test_the_interval_of_an_ece_holds_the_true_error_and_plain_percentiles_lie_above_it():
    held, above = 0, 0
    for seed in range(60):
        probabilities, labels, clusters = errors_of(0.1, seed)

        def error(drawn, probabilities=probabilities, labels=labels):
            return expected_calibration_error(probabilities[drawn], labels[drawn])

        estimate = statistic_estimate(error, clusters, resamples=100, least=0.0)
        _, low, high = estimate.measured
        held += low <= 0.1 <= high
        drawn = np.random.default_rng(seed).multinomial(44, np.full(44, 1 / 44), size=30)
        replicates = [error(np.repeat(np.arange(220), draw[clusters])) for draw in drawn]
        above += np.mean(replicates) > error(np.arange(220))

    assert held / 60 >= 0.88
    assert above / 60 >= 0.9


def test_no_interval_goes_below_the_least():
    probabilities, labels, clusters = errors_of(0.0, 3)
    estimate = statistic_estimate(
        lambda drawn: expected_calibration_error(probabilities[drawn], labels[drawn]),
        clusters,
        resamples=100,
        least=0.0,
    )

    assert estimate.measured[1] >= 0.0
