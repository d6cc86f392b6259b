"""The promotion gate as a table: which measurement lets a model pass, and which holds it back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.gate import compare_with_active, gate_decide
from genomepath.ml.leakage import CHECKS
from genomepath.ml.results import (
    ChanceResult,
    DirectionResult,
    EvaluationResult,
    PairOutcome,
    ProtocolResult,
    ScorerResult,
)
from genomepath.ml.snapshot import DIRECTIONS


def estimate(value, spread=0.02):
    return Estimate(value, value - spread, value + spread, 100, 20)


def evaluation(*, popularity=(0.2, 0.2), cosine=(0.1, 0.1), level=0.6, ece=0.04, checks=CHECKS):
    """A model whose MRR exceeds each baseline by the given amounts (TK to genomic, genomic to TK)."""
    direction = DirectionResult(
        accuracy={"5": estimate(0.8)}, mrr=estimate(level), ece=None if ece is None else estimate(ece)
    )
    scorer = ScorerResult(
        oracle=False,
        directions=dict.fromkeys(DIRECTIONS, direction),
        consistency=estimate(0.8),
        consistency_joint=estimate(0.7),
        dose_recall={},
        dose_concordance=None,
        synergy=None,
        fit_seconds=1.0,
    )
    protocol = ProtocolResult(
        protocol="P1",
        unit="(practice, target) pair",
        cluster="practice",
        held_out=100,
        scorers={"model": scorer},
        chance=ChanceResult({}, {}, {}),
        differences={
            "popularity": dict(zip(DIRECTIONS, map(estimate, popularity), strict=True)),
            "zero-shot cosine": dict(zip(DIRECTIONS, map(estimate, cosine), strict=True)),
        },
        outcomes=tuple(
            PairOutcome(f"invented-{index % 20}", f"FAKE{index}", level - 0.1 * (index % 3), level)
            for index in range(100)
        ),
        notes=(),
    )
    return EvaluationResult("0" * 64, "model", (0,), 5, 20, 100, 300, 100, {"P1": protocol}, tuple(checks), ())


def decide(**changes):
    facts = {
        "evaluation": evaluation(),
        "ethics_scan_clean": True,
        "attribution_complete": True,
        "onnx_parity": 3e-6,
        "active": None,
        "first_of_installation": False,
    }
    return gate_decide(**{**facts, **changes})


def failed(decision):
    return [rule.name for rule in decision.failures]


@pytest.mark.parametrize("first", [True, False])
def test_a_model_that_meets_every_rule_passes_and_is_not_provisional(first):
    decision = decide(first_of_installation=first)

    assert (decision.passed, decision.provisional, failed(decision)) == (True, False, [])


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"evaluation": evaluation(checks=CHECKS[:-1])}, "leakage checks"),
        ({"evaluation": evaluation(checks=())}, "leakage checks"),
        ({"ethics_scan_clean": False}, "ethics scan"),
        ({"attribution_complete": False}, "attribution"),
        ({"onnx_parity": 2e-4}, "ONNX parity"),
        ({"onnx_parity": None}, "ONNX parity"),
        ({"onnx_parity": float("nan")}, "ONNX parity"),
        ({"evaluation": evaluation(ece=None)}, "calibration measured"),
    ],
)
def test_a_hard_rule_holds_every_model_back_the_first_included(changes, rule, first):
    decision = decide(**changes, first_of_installation=first)

    assert (decision.passed, decision.provisional, failed(decision)) == (False, False, [rule])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"popularity": (-0.01, 0.2)}, "better than popularity"),
        ({"popularity": (0.2, -0.01)}, "better than popularity"),
        ({"popularity": (0.0, 0.2)}, "better than popularity"),
        ({"cosine": (-0.01, 0.2)}, "better than zero-shot cosine"),
        ({"cosine": (0.2, -0.3)}, "better than zero-shot cosine"),
    ],
)
def test_a_lost_baseline_holds_a_later_model_back_and_makes_the_first_provisional(changes, rule):
    later, first = (decide(evaluation=evaluation(**changes), first_of_installation=flag) for flag in (False, True))

    assert (later.passed, later.provisional, failed(later)) == (False, False, [rule])
    assert (first.passed, first.provisional, failed(first)) == (True, True, [rule])


def test_a_first_model_with_a_lost_baseline_and_a_hard_failure_is_held_back():
    decision = decide(evaluation=evaluation(cosine=(-0.1, -0.1)), ethics_scan_clean=False, first_of_installation=True)

    assert (decision.passed, decision.provisional) == (False, False)


def test_onnx_parity_of_exactly_the_tolerance_passes():
    assert decide(onnx_parity=1e-4).passed


@pytest.mark.parametrize(("level", "passed"), [(0.6, True), (0.7, True), (0.5, False)])
def test_a_candidate_may_equal_or_exceed_the_active_model_but_not_fall_below(level, passed):
    decision = decide(evaluation=evaluation(level=level), active=evaluation(level=0.6))

    assert decision.passed is passed
    assert failed(decision) == ([] if passed else ["not worse than the active model"])


def test_a_difference_within_its_interval_is_not_worse():
    active = evaluation(level=0.6)
    protocol = evaluation(level=0.6).protocols["P1"]
    shaken = tuple(
        replace(row, tk_to_genomic=row.tk_to_genomic + (0.2 if index % 20 < 9 else -0.18))
        for index, row in enumerate(protocol.outcomes)
    )
    candidate = replace(active, protocols={"P1": replace(protocol, outcomes=shaken)})

    value, _, high = compare_with_active(candidate, active)["tk_to_genomic"].measured

    assert value < 0 < high
    assert decide(evaluation=candidate, active=active).passed


def test_only_pairs_that_both_evaluations_hold_out_are_compared():
    candidate, active = evaluation(level=0.6), evaluation(level=0.6)
    protocol = active.protocols["P1"]
    fewer = replace(active, protocols={"P1": replace(protocol, outcomes=protocol.outcomes[:40])})

    assert compare_with_active(candidate, fewer)["genomic_to_tk"].count == 40


def test_an_active_model_that_shares_no_pair_can_not_be_compared_and_holds_back():
    active = evaluation()
    empty = replace(active, protocols={"P1": replace(active.protocols["P1"], outcomes=())})

    assert failed(decide(active=empty)) == ["not worse than the active model"]


def test_an_evaluation_without_p1_fails_every_rule_that_rests_on_it():
    decision = decide(evaluation=replace(evaluation(), protocols={}))

    assert failed(decision) == [
        "leakage checks",
        "calibration measured",
        "better than popularity",
        "better than zero-shot cosine",
    ]


def test_a_first_model_without_a_comparison_is_not_waved_through():
    decision = decide(evaluation=replace(evaluation(), protocols={}), first_of_installation=True)

    assert (decision.passed, decision.provisional) == (False, False)


def test_first_and_active_at_once_is_a_contradiction():
    with pytest.raises(ValueError, match="can't be the first"):
        decide(active=evaluation(), first_of_installation=True)


def test_a_decision_reads_as_json_with_its_numbers():
    payload = json.loads(json.dumps(decide().to_dict()))

    assert payload["passed"] is True
    assert any("P1 MRR tk_to_genomic +20.0 [+18.0, +22.0]" in rule["detail"] for rule in payload["rules"])
