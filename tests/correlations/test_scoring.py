"""The documented formula from evidence to confidence, and the quality thresholds."""

from __future__ import annotations

import math

import pytest

from correlations.scoring import DISTANCE_FACTOR, LEVEL_STRENGTH, MAX_SOURCES, confidence, quality_of
from correlations.vocabulary import EvidenceLevel


def test_every_evidence_level_has_a_strength_and_none_outranks_a_stronger_one():
    strengths = [LEVEL_STRENGTH[level.value] for level in EvidenceLevel]
    assert strengths == sorted(strengths, reverse=True)
    assert set(LEVEL_STRENGTH) == {level.value for level in EvidenceLevel}


def test_one_source_on_the_same_condition_gives_the_strength_of_its_level():
    assert confidence(level="clinical_trial", sources=1, distance=0).value == 0.80


def test_a_second_source_takes_a_fifth_of_the_doubt():
    assert confidence(level="preclinical", sources=2, distance=0).value == pytest.approx(1 - 0.5 * 0.8)


def test_more_than_the_counted_sources_add_nothing():
    at_most = confidence(level="review", sources=MAX_SOURCES, distance=1).value
    assert confidence(level="review", sources=MAX_SOURCES + 5, distance=1).value == at_most


@pytest.mark.parametrize("distance", range(len(DISTANCE_FACTOR)))
def test_distance_lowers_confidence_by_its_factor(distance):
    score = confidence(level="clinical_trial", sources=1, distance=distance)
    assert score.value == pytest.approx(0.80 * DISTANCE_FACTOR[distance])


def test_inconclusive_findings_count_for_less():
    clear = confidence(level="systematic_review", sources=1, distance=0)
    unclear = confidence(level="systematic_review", sources=1, distance=0, conclusive=False)
    assert unclear.value == pytest.approx(clear.value * 0.75)


def test_the_parts_give_the_value_back():
    score = confidence(level="genetic_association", sources=3, distance=1)
    parts = score.parts()
    assert parts["level"] == "genetic_association"
    assert parts["independent_sources"] == 3
    assert parts["distance"] == 1
    assert score.value == pytest.approx(float(parts["agreement"]) * float(parts["distance_factor"]), abs=1e-4)


@pytest.mark.parametrize(
    ("level", "sources", "distance", "message"),
    [
        ("anecdote", 1, 0, "unknown evidence level"),
        ("review", 0, 0, "at least one source"),
        ("review", 1, 3, "outside 0 to 2"),
        ("review", 1, -1, "outside 0 to 2"),
    ],
)
def test_unusable_evidence_is_refused(level, sources, distance, message):
    with pytest.raises(ValueError, match=message):
        confidence(level=level, sources=sources, distance=distance)


@pytest.mark.parametrize(
    ("value", "quality"),
    [(1.0, "good"), (0.75, "good"), (0.7499, "moderate"), (0.50, "moderate"), (0.4999, "poor"), (0.0, "poor")],
)
def test_quality_follows_the_thresholds(value, quality):
    assert quality_of(value) == quality


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf])
def test_what_is_no_confidence_has_no_quality(value):
    with pytest.raises(ValueError, match="outside 0 to 1"):
        quality_of(value)
