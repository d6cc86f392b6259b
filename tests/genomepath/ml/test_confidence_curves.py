"""The curves of a model: fitted dose by dose, kept as JSON, and read from models that had one curve for all doses."""

from __future__ import annotations

import numpy as np
import pytest

from genomepath.ml.calibration import (
    CalibrationError,
    ListCalibration,
    PlattCalibration,
    Prior,
    fit_in_lists,
    fit_platt,
    list_level,
)
from genomepath.ml.confidence_curves import ConfidenceCurves, fit_curves
from genomepath.ml.cross_fitting import put_together
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import DOSES

CELLS = np.ones((200, 30), dtype=bool)
CURVES = ConfidenceCurves(
    tk_to_genomic=tuple(ListCalibration(1.0 + dose, -0.5 * dose, -float(dose)) for dose in range(3)),
    genomic_to_tk=PlattCalibration(0.5, 2.0),
)


def documented_at(*shares):
    """Pairs that are documented at each dose as often as the share says, whatever their scores, which no dose changes."""
    rng = np.random.default_rng(0)
    linked = rng.random((200, 3, 30)) < np.array(shares)[None, :, None]
    truth = TruthMatrix(
        practices=tuple(map(str, range(200))),
        targets=tuple(map(str, range(30))),
        confidence=linked.astype(np.float32),
        quality_of_pair=np.zeros((200, 30), dtype=np.int64),
    )
    of_pairs = rng.normal(size=(200, 30))
    return Scores(np.repeat(of_pairs[:, None, :], 3, axis=1), of_pairs.T.copy()), truth


@pytest.mark.parametrize("prior", [None, Prior(1.0, 5.0)])
def test_a_confidence_at_a_dose_is_the_share_that_is_documented_at_that_dose(prior):
    scores, truth = documented_at(0.05, 0.5, 0.2)

    curves = fit_curves(put_together([(CELLS, scores)]), truth, prior)

    confidences = curves.of_targets(scores.tk_to_genomic)
    assert confidences.mean(axis=(0, 2)) == pytest.approx([0.05, 0.5, 0.2], abs=0.02)
    assert confidences.std(axis=(0, 2)).max() < 0.05


def test_each_curve_is_fitted_on_the_held_out_cells_alone():
    scores, truth = documented_at(0.05, 0.5, 0.2)
    cells = CELLS & (np.arange(200) < 50)[:, None]

    curves = fit_curves(put_together([(cells, scores)]), truth)

    for dose, curve in enumerate(curves.tk_to_genomic):
        logits = scores.tk_to_genomic[:50, dose]
        levels = np.broadcast_to(list_level(logits), logits.shape)
        assert curve == fit_in_lists(logits, levels, truth.confidence[:50, dose] > 0)
    assert curves.genomic_to_tk == fit_platt(scores.genomic_to_tk.T[:50], truth.pairs[:50])


def test_a_level_is_that_of_the_list_of_the_fit_that_held_the_cell_out():
    early, _ = documented_at(0.05, 0.5, 0.2)
    late = Scores(early.tk_to_genomic + 10, early.genomic_to_tk)
    first, second = CELLS & (np.arange(30) < 15), CELLS & (np.arange(30) >= 15)

    levels = put_together([(first, early), (second, late)]).levels

    expected = np.broadcast_to(list_level(early.tk_to_genomic), (200, 3, 30))
    assert levels[:, :, :15] == pytest.approx(expected[:, :, :15])
    assert levels[:, :, 15:] == pytest.approx(expected[:, :, 15:] + 10)


def test_a_dose_at_which_nothing_is_documented_has_the_curve_of_all_doses():
    scores, truth = documented_at(0.0, 0.5, 0.2)

    low, medium, high = fit_curves(put_together([(CELLS, scores)]), truth).tk_to_genomic

    assert low not in (medium, high)
    assert low.probability(scores.tk_to_genomic[:, 0]).mean() == pytest.approx((0.5 + 0.2) / 3, abs=0.02)


def test_held_out_cells_of_one_class_are_refused():
    scores, truth = documented_at(0.0, 0.0, 0.0)

    with pytest.raises(CalibrationError, match="positive and negative"):
        fit_curves(put_together([(CELLS, scores)]), truth)


def test_scores_of_a_dose_are_read_with_its_curve():
    logits = np.random.default_rng(1).normal(size=(4, 3, 5))

    confidences = CURVES.of_targets(logits)

    for dose, curve in enumerate(CURVES.tk_to_genomic):
        assert confidences[:, dose] == pytest.approx(curve.probability(logits[:, dose]))


def test_curves_survive_json():
    assert ConfidenceCurves.from_dict(CURVES.to_dict()) == CURVES


def test_a_model_with_one_curve_for_all_doses_is_still_read():
    curve = PlattCalibration(1.25, -0.5)
    payload = {"tk_to_genomic": curve.to_dict(), "genomic_to_tk": CURVES.genomic_to_tk.to_dict()}
    logits = np.random.default_rng(2).normal(size=(4, 3, 5))

    assert ConfidenceCurves.from_dict(payload).of_targets(logits) == pytest.approx(curve.probability(logits))


@pytest.mark.parametrize("missing", DOSES)
def test_a_dose_without_a_curve_is_refused(missing):
    payload = CURVES.to_dict()
    del payload["tk_to_genomic"][missing]

    with pytest.raises(KeyError, match=missing):
        ConfidenceCurves.from_dict(payload)


def test_curves_are_one_a_dose():
    with pytest.raises(CalibrationError, match="2 curves for 3 doses"):
        ConfidenceCurves(CURVES.tk_to_genomic[:2], CURVES.genomic_to_tk)
