"""The report says what the validation side of a training was used for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomepath.reporting.learning_curves import learning_curves
from tests.genomepath.report_reader import sentences


def said(material, parts: int) -> str:
    return sentences(learning_curves(replace(material, model=replace(material.model, calibration_parts=parts))))[0]


@pytest.mark.parametrize(("parts", "words"), [(1, "1 part of"), (7, "7 parts of")])
def test_parts_of_their_own_calibrate_and_the_validation_side_does_not(material, parts, words):
    text = said(material, parts)

    assert f"its pairs choose the epoch. Confidences and sets are calibrated on {words} the training side" in text


def test_without_parts_of_their_own_the_validation_side_calibrates(material):
    assert "its pairs choose the epoch, and confidences and sets are calibrated on them." in said(material, 0)
