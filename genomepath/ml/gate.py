"""The promotion gate: pure rules over what was measured. Nobody promotes a model past a hard rule.

The first model of an installation may be promoted although a baseline beats it, and is then *provisional*: every answer
and the model card must say so. No other rule bends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from genomepath.ml import bootstrap, leakage
from genomepath.ml.bootstrap import Estimate
from genomepath.ml.results import EvaluationResult, ProtocolResult
from genomepath.ml.snapshot import DIRECTIONS

ONNX_TOLERANCE = 1e-4
PROTOCOL = "P1"
BASELINES_TO_BEAT: tuple[str, ...] = ("popularity", "zero-shot cosine")


@dataclass(frozen=True)
class GateRule:
    """One rule with its numbers in words. Only a ``waivable`` rule may fail in a first model."""

    name: str
    passed: bool
    detail: str
    waivable: bool = False


@dataclass(frozen=True)
class GateDecision:
    """Whether the model may be promoted, whether provisionally, and every rule that was looked at."""

    passed: bool
    provisional: bool
    rules: tuple[GateRule, ...]

    @property
    def failures(self) -> tuple[GateRule, ...]:
        """The rules that did not pass, waived ones included."""
        return tuple(rule for rule in self.rules if not rule.passed)

    def to_dict(self) -> dict[str, Any]:
        """A JSON object for the audit event and the registry."""
        return asdict(self)


def gate_decide(
    *,
    evaluation: EvaluationResult,
    ethics_scan_clean: bool,
    attribution_complete: bool,
    onnx_parity: float | None,
    active: EvaluationResult | None,
    first_of_installation: bool,
) -> GateDecision:
    """Judge a candidate.

    Args:
        evaluation: of the candidate, with P1.
        onnx_parity: largest absolute difference of a logit between torch and the exported file; None: not measured.
        active: evaluation of the model that serves now, if there is one.
        first_of_installation: no model was ever promoted here.

    Raises:
        ValueError: there is an active model and yet this is said to be the first.
    """
    if active is not None and first_of_installation:
        raise ValueError("a model is active, so the candidate can't be the first of the installation")
    result = evaluation.protocols.get(PROTOCOL)
    rules = [
        _leakage_rule(evaluation, result),
        GateRule("ethics scan", ethics_scan_clean, "clean" if ethics_scan_clean else "the scan found a leak"),
        GateRule(
            "attribution",
            attribution_complete,
            "every prediction is attributed" if attribution_complete else "a prediction lacks its attribution",
        ),
        _onnx_rule(onnx_parity),
        _calibration_rule(evaluation, result),
        *(_baseline_rule(result, name) for name in BASELINES_TO_BEAT),
    ]
    if active is not None:
        rules.append(_active_rule(evaluation, active))
    failed = [rule for rule in rules if not rule.passed]
    waived = first_of_installation and all(rule.waivable for rule in failed)
    return GateDecision(passed=not failed or waived, provisional=bool(failed) and waived, rules=tuple(rules))


def compare_with_active(candidate: EvaluationResult, active: EvaluationResult) -> dict[str, Estimate]:
    """Paired difference candidate - active of 1 / rank on P1 by direction, over the held-out pairs that both have.

    The two may come from different snapshots: a pair withdrawn or added in between is left out of the comparison.
    """
    new, old = _outcomes(candidate), _outcomes(active)
    shared = sorted(new.keys() & old.keys())
    practices = [practice for practice, _ in shared]
    return {
        way: bootstrap.paired_difference(
            [new[key][index] for key in shared], [old[key][index] for key in shared], practices
        )
        for index, way in enumerate(DIRECTIONS)
    }


def _leakage_rule(evaluation: EvaluationResult, result: ProtocolResult | None) -> GateRule:
    missing = [check for check in leakage.CHECKS if check not in evaluation.leakage_checks]
    if result is None:
        return GateRule("leakage checks", False, f"the evaluation has no {PROTOCOL}")
    detail = f"not run: {', '.join(missing)}" if missing else f"{len(leakage.CHECKS)} checks passed"
    return GateRule("leakage checks", not missing, detail)


def _onnx_rule(parity: float | None) -> GateRule:
    if parity is None:
        return GateRule("ONNX parity", False, "not measured")
    passed = 0.0 <= parity <= ONNX_TOLERANCE
    return GateRule("ONNX parity", passed, f"largest difference {parity:.1e}, at most {ONNX_TOLERANCE:.0e} allowed")


def _calibration_rule(evaluation: EvaluationResult, result: ProtocolResult | None) -> GateRule:
    scorer = result.scorers.get(evaluation.subject) if result else None
    errors = {} if scorer is None else {way: row.ece for way, row in scorer.directions.items()}
    measured = {way: error.value for way, error in errors.items() if error is not None and error.value is not None}
    passed = set(measured) == set(DIRECTIONS)
    detail = ", ".join(f"ECE {way} {100 * value:.1f}%" for way, value in measured.items()) or "not measured"
    return GateRule("calibration measured", passed, detail)


def _baseline_rule(result: ProtocolResult | None, name: str) -> GateRule:
    title = f"better than {name}"
    differences = result.differences.get(name) if result else None
    if not differences:
        return GateRule(title, False, f"no {PROTOCOL} comparison was made")
    passed = all((estimate.value or 0.0) > 0 for estimate in differences.values())
    return GateRule(title, passed, f"{PROTOCOL} MRR {_difference_text(differences)}", waivable=True)


def _active_rule(evaluation: EvaluationResult, active: EvaluationResult) -> GateRule:
    """Fails when the whole 95% interval of a difference lies below zero, or when nothing can be compared."""
    title = "not worse than the active model"
    differences = compare_with_active(evaluation, active)
    if any(estimate.high is None for estimate in differences.values()):
        return GateRule(title, False, "the two evaluations share no held-out pair")
    passed = all(estimate.high is not None and estimate.high >= 0 for estimate in differences.values())
    count = next(iter(differences.values())).count
    return GateRule(title, passed, f"{PROTOCOL} MRR over {count} shared pairs {_difference_text(differences)}")


def _difference_text(differences: Mapping[str, Estimate]) -> str:
    parts = []
    for way, estimate in differences.items():
        low, high = 100 * (estimate.low or 0.0), 100 * (estimate.high or 0.0)
        parts.append(f"{way} {100 * (estimate.value or 0.0):+.1f} [{low:+.1f}, {high:+.1f}]")
    return ", ".join(parts)


def _outcomes(evaluation: EvaluationResult) -> dict[tuple[str, str], tuple[float, float]]:
    result = evaluation.protocols.get(PROTOCOL)
    rows = result.outcomes if result else ()
    return {(row.practice, row.target): (row.tk_to_genomic, row.genomic_to_tk) for row in rows}
