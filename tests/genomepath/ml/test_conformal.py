"""Conformal sets: the threshold is the finite-sample quantile, and new links are covered as often as promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomepath.ml.conformal import (
    ConformalError,
    SetThreshold,
    conformal_threshold,
    fit_thresholds,
    link_scores,
    read_thresholds,
)
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import DIRECTIONS
from tests.genomepath.ml.synthetic import synthetic_snapshot

TRUTH = TruthMatrix.from_snapshot(synthetic_snapshot(practices=20, targets=16))


@given(scores=st.lists(st.floats(-50, 50), min_size=1, max_size=60), level=st.sampled_from([0.5, 0.8, 0.9]))
def test_the_threshold_is_the_quantile_of_the_paper(scores, level):
    found = conformal_threshold(scores, np.arange(len(scores)), level)

    place = math.ceil((len(scores) + 1) * level - 1e-9)
    expected = None if place > len(scores) else sorted(scores, reverse=True)[place - 1]
    assert (found.least_logit, found.links, found.level) == (expected, len(scores), level)


@pytest.mark.parametrize("links", [9, 28, 100])
def test_new_links_are_covered_as_often_as_promised(links):
    """On average over calibrations coverage is ceil((n + 1) 0.9) / (n + 1): at least 90, and not much more."""
    rng = np.random.default_rng(links)
    covered = []
    for _ in range(4000):
        scores = rng.normal(size=links + 1)
        covered.append(conformal_threshold(scores[:-1], np.arange(links)).holds(scores[-1:]))

    assert np.mean(covered) == pytest.approx(math.ceil((links + 1) * 0.9) / (links + 1), abs=0.015)


def test_fewer_links_than_the_level_needs_leave_every_candidate_in_the_set():
    few = conformal_threshold(np.arange(8.0), np.arange(8))

    assert few.least_logit is None
    assert few.holds([-1e9, 0.0]).all()
    assert conformal_threshold(np.arange(9.0), np.arange(9)).least_logit == 0.0


def test_the_doses_of_a_link_share_its_weight():
    one_dose = conformal_threshold(np.arange(30.0), np.arange(30))
    three_doses = conformal_threshold(np.repeat(np.arange(30.0), 3), np.repeat(np.arange(30), 3))

    assert three_doses == one_dose


def test_a_link_known_at_more_doses_does_not_count_for_more():
    scores = np.concatenate([np.arange(1.0, 30.0), np.zeros(50)])
    links = np.concatenate([np.arange(29), np.full(50, 29)])

    assert conformal_threshold(scores, links).least_logit == 2.0


def test_from_practice_to_target_the_doses_at_which_a_link_is_known_are_read():
    scores = Scores(np.arange(TRUTH.confidence.size, dtype=float).reshape(TRUTH.confidence.shape), np.zeros((16, 20)))

    found, links = link_scores(scores, TRUTH, TRUTH.pairs, DIRECTIONS[0])

    assert sorted(found) == sorted(scores.tk_to_genomic[TRUTH.confidence > 0])
    assert len(set(links)) == TRUTH.pairs.sum()


def test_from_target_to_practice_each_link_is_read_once():
    backward = np.arange(320, dtype=float).reshape(16, 20)

    found, links = link_scores(Scores(np.zeros((20, 3, 16)), backward), TRUTH, TRUTH.pairs, DIRECTIONS[1])

    assert sorted(found) == sorted(backward.T[TRUTH.pairs])
    assert len(set(links)) == len(found)


def test_thresholds_survive_the_calibration_file():
    thresholds = fit_thresholds(Scores.from_pairs(TRUTH.pairs.astype(float)), TRUTH, TRUTH.pairs)

    assert read_thresholds({"sets": {way: found.to_dict() for way, found in thresholds.items()}}) == thresholds
    assert all(thresholds[way].least_logit == 1.0 for way in DIRECTIONS)


def test_a_calibration_without_sets_has_no_thresholds():
    assert read_thresholds({"tk_to_genomic": {"slope": 1.0, "intercept": 0.0}}) is None


@pytest.mark.parametrize("sets", [[], "a", {}, {"tk_to_genomic": {}}, {way: {"level": "a"} for way in DIRECTIONS}])
def test_damaged_thresholds_are_refused(sets):
    with pytest.raises(ConformalError):
        read_thresholds({"sets": sets})


@pytest.mark.parametrize(("scores", "links"), [([1.0], [0, 1]), ([np.nan], [0]), ([np.inf], [0])])
def test_what_cannot_calibrate_is_refused(scores, links):
    with pytest.raises(ConformalError, match="finite score"):
        conformal_threshold(scores, links)


def test_a_threshold_holds_for_any_shape():
    assert SetThreshold(0.9, 0.5, 20).holds([[0.4, 0.5], [0.6, -1.0]]).tolist() == [[False, True], [True, False]]
