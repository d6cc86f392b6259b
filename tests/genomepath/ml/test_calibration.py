"""Platt calibration: recovers a known curve, keeps the order, refuses what it can't fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomepath.ml.calibration import (
    CalibrationError,
    ListCalibration,
    PlattCalibration,
    Prior,
    fit_in_lists,
    fit_platt,
    list_level,
)
from genomepath.ml.metrics import expected_calibration_error


def sample(slope, intercept, size=20_000, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.0, size=size)
    return logits, rng.random(size) < PlattCalibration(slope, intercept).probability(logits)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.3, -2.0), (4.0, 1.0)])
def test_the_curve_that_made_the_labels_is_found_again(slope, intercept):
    fitted = fit_platt(*sample(slope, intercept))

    assert fitted.slope == pytest.approx(slope, rel=0.1)
    assert fitted.intercept == pytest.approx(intercept, abs=0.15)


def test_calibrated_probabilities_have_almost_no_calibration_error():
    fitted = fit_platt(*sample(0.5, -1.0, seed=1))
    logits, labels = sample(0.5, -1.0, seed=2)

    assert expected_calibration_error(fitted.probability(logits), labels) < 0.01


@given(scale=st.floats(1e-3, 1e6), shift=st.floats(-1e4, 1e4))
@settings(max_examples=40, deadline=None)
def test_probabilities_do_not_depend_on_the_scale_of_the_scores(scale, shift):
    logits, labels = sample(1.0, 0.5, size=300)
    expected = fit_platt(logits, labels).probability(logits)

    found = fit_platt(scale * logits + shift, labels).probability(scale * logits + shift)

    assert found == pytest.approx(expected, abs=1e-3)


def test_scores_that_order_backwards_give_the_base_rate_and_not_a_reversed_ranking():
    fitted = fit_platt([3.0, 2.0, 1.0, 0.0], [0, 0, 1, 1])

    assert fitted.slope == 0.0
    assert fitted.probability([5.0, -5.0]) == pytest.approx([0.5, 0.5])


def test_constant_scores_give_the_smoothed_base_rate():
    probability = fit_platt(np.zeros(1000), np.arange(1000) < 100).probability(0.0)

    assert float(probability) == pytest.approx(0.1, abs=0.005)


def test_separable_labels_stay_short_of_certainty():
    probability = fit_platt(np.arange(20.0), np.arange(20) >= 10).probability(np.arange(20.0))

    assert probability.min() > 0.0
    assert probability.max() < 1.0


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        ([1.0, 2.0], [1, 1], "positive and negative"),
        ([1.0, 2.0], [0, 0], "positive and negative"),
        ([], [], "positive and negative"),
        ([1.0], [0, 1], "labels"),
        ([np.nan, 1.0], [0, 1], "finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(logits, labels, message):
    with pytest.raises(CalibrationError, match=message):
        fit_platt(logits, labels)


def test_a_prior_gives_way_to_many_labels_and_stands_against_few():
    (many_logits, many_labels), (few_logits, few_labels) = sample(1.8, -1.0, size=200_000), sample(1.8, -1.0, size=20)
    prior = Prior(slope_deviation=0.1, intercept_deviation=0.25)
    many, few = fit_platt(many_logits, many_labels, prior), fit_platt(few_logits, few_labels, prior)

    assert many.slope == pytest.approx(1.8, rel=0.1)
    assert many.intercept == pytest.approx(-1.0, abs=0.1)
    assert few.slope == pytest.approx(1.0, abs=0.2)
    assert few.intercept == pytest.approx(0.0, abs=0.3)


def test_a_wide_prior_changes_nothing():
    logits, labels = sample(1.8, -1.0, size=300)
    expected = fit_platt(logits, labels).probability(logits)

    assert fit_platt(logits, labels, Prior(1e4, 1e4)).probability(logits) == pytest.approx(expected, abs=1e-6)


def test_a_prior_never_reverses_a_ranking():
    logits, labels = sample(2.0, 0.0, size=5000)

    assert fit_platt(-logits, labels, Prior()).slope == 0.0


def test_extreme_logits_do_not_overflow():
    with np.errstate(over="raise"):
        assert PlattCalibration(1.0, 0.0).probability([-1e4, 1e4]).tolist() == [0.0, 1.0]


def test_a_calibration_survives_json():
    calibration = PlattCalibration(slope=1.25, intercept=-0.5)

    assert PlattCalibration.from_dict(calibration.to_dict()) == calibration


def lists_of(level_slope, *, size=4000, length=10, seed=0):
    """Lists that lie at heights of their own, and labels that follow a score and the level of its list."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.0, size=(size, 1)) + rng.normal(size=(size, length))
    return logits, rng.random(logits.shape) < ListCalibration(1.5, level_slope, -1.0).probability(logits)


@pytest.mark.parametrize("level_slope", [-1.2, 0.0, 0.6])
def test_the_curve_of_a_score_in_its_list_is_found_again(level_slope):
    logits, labels = lists_of(level_slope)

    fitted = fit_in_lists(logits, np.broadcast_to(list_level(logits), logits.shape), labels)

    assert (fitted.slope, fitted.level_slope, fitted.intercept) == pytest.approx((1.5, level_slope, -1.0), abs=0.1)


def test_the_level_of_a_list_is_the_mean_of_its_five_highest_scores():
    assert list_level([[9.0, 1.0, 3.0, 5.0, 0.0, 7.0, 2.0]]).tolist() == [[5.2]]
    assert list_level([2.0, 4.0]).tolist() == [3.0]


def test_a_list_keeps_its_ranking():
    logits = np.random.default_rng(0).normal(size=(50, 20))

    probabilities = ListCalibration(0.7, -3.0, 0.2).probability(logits)

    assert (probabilities.argsort(axis=1) == logits.argsort(axis=1)).all()


@pytest.mark.parametrize("prior", [None, Prior()])
def test_scores_that_order_a_list_backwards_never_reverse_it(prior):
    logits, labels = lists_of(0.0)

    assert fit_in_lists(-logits, np.broadcast_to(list_level(-logits), logits.shape), labels, prior).slope == 0.0


def test_a_curve_of_lists_survives_json():
    calibration = ListCalibration(slope=1.25, level_slope=-0.75, intercept=-0.5)

    assert ListCalibration.from_dict(calibration.to_dict()) == calibration


def test_doses_that_repeat_a_pair_weigh_as_one_pair():
    logits, labels = sample(1.0, 0.0, size=40)
    thrice = np.repeat(logits, 3), np.repeat(labels, 3)

    once, shared = fit_platt(logits, labels, Prior()), fit_platt(*thrice, Prior(), weight=1 / 3)

    assert (shared.slope, shared.intercept) == pytest.approx((once.slope, once.intercept), abs=1e-6)
