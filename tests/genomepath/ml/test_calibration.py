"""Platt calibration: recovers a known curve, keeps the order, refuses what it can't fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomepath.ml.calibration import CalibrationError, PlattCalibration, Prior, fit_platt
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
