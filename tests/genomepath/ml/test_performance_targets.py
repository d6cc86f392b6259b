"""Which targets hold on which protocol, and whether an evaluation meets them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.baselines import BASELINES
from genomepath.ml.bootstrap import Estimate
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.evaluation import evaluate
from genomepath.ml.performance_targets import PROTOCOLS, oracle_outcomes, target_outcomes, verdict_text
from genomepath.ml.report import render_report
from genomepath.ml.scores import Scores
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
FORWARD, BACKWARD = "tk_to_genomic", "genomic_to_tk"


def guess(snapshot, features, training, /):
    return Scores.from_pairs(np.random.default_rng(7).random(TRUTH.pairs.shape))


def rule(snapshot, features, training, /):
    return Scores.from_pairs(TRUTH.pairs.astype(float))


@pytest.fixture(scope="module")
def measured():
    scorers = {"model": guess, "memoriser": BASELINES["memoriser"], "popularity": BASELINES["popularity"], "rule": rule}
    features = synthetic_features(SNAPSHOT)
    return evaluate(SNAPSHOT, features, scorers, protocols=PROTOCOLS, oracles=frozenset({"rule"}))


def percent(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    low, high = value if low is None else low, value if high is None else high
    return Estimate(value / 100, low / 100, high / 100, 100, 20)


def with_model(evaluation, protocol, **fields):
    """The evaluation in which the model reached other numbers on a protocol."""
    result = evaluation.protocols[protocol]
    scorers = {**result.scorers, "model": replace(result.scorers["model"], **fields)}
    return replace(evaluation, protocols={**evaluation.protocols, protocol: replace(result, scorers=scorers)})


def with_direction(evaluation, protocol, way, **fields):
    directions = evaluation.protocols[protocol].scorers["model"].directions
    changed = {**directions, way: replace(directions[way], **fields)}
    return with_model(evaluation, protocol, directions=changed)


def outcome(evaluation, protocol, name):
    return {row.name: row for row in target_outcomes(evaluation, protocol)}[name]


@pytest.mark.parametrize(("protocol", "ours"), [("P1", 90), ("P2", 90), ("P3", 85)])
def test_accuracy_of_targets_has_the_same_minimum_everywhere_and_a_level_of_ours_by_protocol(measured, protocol, ours):
    reached = with_direction(measured, protocol, FORWARD, accuracy={"5": percent(86)})

    row = outcome(reached, protocol, "TK→G accuracy@5")

    assert (row.minimum, row.production) == (("≥ 70", True), ("≥ 80", True))
    assert row.ours == (f"≥ {ours}", ours <= 86)


@pytest.mark.parametrize(("protocol", "ours"), [("P1", "≥ 80"), ("P2", "none"), ("P3", "≥ 77")])
def test_accuracy_of_practices_has_no_level_of_ours_on_unseen_practices(measured, protocol, ours):
    reached = with_direction(measured, protocol, BACKWARD, accuracy={"3": percent(65)})

    row = outcome(reached, protocol, "G→TK accuracy@3")

    assert (row.minimum, row.production) == (("≥ 60", True), ("≥ 70", False))
    assert row.ours == (ours, None if ours == "none" else False)


@pytest.mark.parametrize(("protocol", "ours"), [("P1", "≥ 90"), ("P2", "≥ 90"), ("P3", "none")])
def test_consistency_has_no_level_of_ours_on_unseen_targets(measured, protocol, ours):
    row = outcome(with_model(measured, protocol, consistency=percent(80)), protocol, "Bidirectional consistency")

    assert (row.minimum, row.production) == (("≥ 75", True), ("≥ 85", False))
    assert row.ours == (ours, None if ours == "none" else False)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_measured_production_level_is_judged_on_every_protocol(measured, protocol):
    judged = {row.name for row in target_outcomes(measured, protocol) if row.production[1] is not None}

    assert judged == {
        "TK→G accuracy@5",
        "G→TK accuracy@3",
        "Bidirectional consistency",
        "MRR TK→G",
        "ECE TK→G",
        "ECE G→TK",
        "Dose low, recall@5",
        "Dose medium, recall@8",
        "Dose high, recall@10",
        "Synergy recognition",
    }


@pytest.mark.parametrize(("high", "met"), [(9.9, True), (10.0, False)])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_calibration_of_ours_bounds_the_interval_too(measured, protocol, high, met):
    reached = with_direction(measured, protocol, FORWARD, ece=percent(4, 3, high))

    row = outcome(reached, protocol, "ECE TK→G")

    assert (row.production, row.ours) == (("< 10", True), ("< 5, interval below 10", met))


@pytest.mark.parametrize(("reached", "met"), [(40, False), (45, True)])
@pytest.mark.parametrize("protocol", ["P2", "P3"])
def test_on_unseen_records_the_model_is_to_stand_five_points_above_the_memoriser(measured, protocol, reached, met):
    memoriser = replace(
        measured.protocols[protocol].scorers["memoriser"].directions[FORWARD], accuracy={"5": percent(40)}
    )
    result = measured.protocols[protocol]
    looked_up = replace(result.scorers["memoriser"], directions={FORWARD: memoriser})
    judged = with_direction(measured, protocol, FORWARD, accuracy={"5": percent(reached)})
    scorers = {**judged.protocols[protocol].scorers, "memoriser": looked_up}
    judged = replace(judged, protocols={protocol: replace(result, scorers=scorers)})

    row = outcome(judged, protocol, "TK→G accuracy@5 over the memoriser")

    assert row.reached == f"{reached}.0 against 40.0"
    assert row.ours == ("≥ 5 points more", met)


def test_on_known_records_the_memoriser_sets_no_target(measured):
    assert not any("memoriser" in row.name for row in target_outcomes(measured, "P1"))


@pytest.mark.parametrize(("low", "high", "met"), [(86, 95, True), (90, 95, True), (90.1, 95, False), (80, 89.9, False)])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("way", "arrow"), [(FORWARD, "TK→G"), (BACKWARD, "G→TK")])
def test_the_interval_of_the_coverage_is_to_contain_90(measured, protocol, way, arrow, low, high, met):
    sets = measured.protocols[protocol].scorers["model"].directions[way].sets
    judged = with_direction(measured, protocol, way, sets=replace(sets, coverage=percent(92, low, high)))

    row = outcome(judged, protocol, f"Coverage of the 90% sets {arrow}")

    assert row.reached == f"92.0 [{low:.1f}, {high:.1f}]"
    assert row.ours == ("the interval contains 90", met)


def test_sets_that_were_not_measured_have_no_verdict(measured):
    row = outcome(with_direction(measured, "P1", FORWARD, sets=None), "P1", "Coverage of the 90% sets TK→G")

    assert row.cells[-1] == "the interval contains 90: not measured"


def test_a_missed_target_names_the_levels_that_it_misses(measured):
    reached = with_direction(measured, "P3", FORWARD, accuracy={"5": percent(75)})

    assert outcome(reached, "P3", "TK→G accuracy@5").missed == ("production ≥ 80", "ours ≥ 85")


def test_a_level_without_a_threshold_has_no_verdict():
    assert verdict_text("none", None) == "none"


def test_what_a_list_of_answers_can_hold_is_what_the_oracle_reaches(measured):
    recall = measured.protocols["P2"].scorers["rule"].dose_recall["low"]["5"].value

    rows = {row.name: row for row in oracle_outcomes(measured, "P2")}

    assert rows["Dose low, recall@5"].production == ("≥ 75", recall >= 0.75)
    assert not any("accuracy" in name or "ECE" in name for name in rows)


def test_without_an_oracle_nobody_knows_what_a_list_could_hold(measured):
    result = measured.protocols["P2"]
    scorers = {name: row for name, row in result.scorers.items() if not row.oracle}

    assert oracle_outcomes(replace(measured, protocols={"P2": replace(result, scorers=scorers)}), "P2") == ()


def test_the_report_of_an_evaluation_judges_every_protocol_that_was_run(measured):
    alone = replace(measured, protocols={"P2": measured.protocols["P2"]})

    assert [f"## Targets, on {protocol}" in render_report(measured) for protocol in PROTOCOLS] == [True, True, True]
    assert [f"## Targets, on {protocol}" in render_report(alone) for protocol in PROTOCOLS] == [False, True, False]
