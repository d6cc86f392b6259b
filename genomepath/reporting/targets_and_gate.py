"""The targets that were set, met or not with the number reached, and what the gate decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.performance_targets import (
    MARGIN,
    TargetOutcome,
    over_cosine_without_conditions,
    target_outcomes,
)
from genomepath.ml.results import EvaluationResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Bullets, Heading, Paragraph, Table
from genomepath.reporting.material import ReportMaterial
from genomepath.reporting.wording import WAYS, estimate_text, percent

_OURS: Mapping[str, tuple[int, int | None, int | None]] = {"P2": (90, None, 90), "P3": (85, 77, None)}
"""TK→G accuracy@5, G→TK accuracy@3 and consistency by protocol; None where no target was set."""
_WITHOUT_CONDITIONS = ("Without condition fields", "≥ 5 points over the cosine without them on P1, P2 and P3")
NOT_EVALUATED: tuple[tuple[str, str], ...] = (
    ("Inference", "≤ 1.5 × the bare call of the text encoder for a new text, ≤ 1 ms for a known practice"),
)


def targets_and_gate(material: ReportMaterial) -> list[Block]:
    """The section."""
    rows = [
        [row.name, row.reached, *(_verdict(*level) for level in (row.minimum, row.production, row.ours))]
        for row in target_outcomes(material.evaluation)
    ]
    header = ["target", "reached", "minimum", "production", "ours"]
    return [
        Heading("Targets and gate"),
        Paragraph("A target that is not met stands here with the number that was reached. Percent with 95% intervals."),
        Table("Targets on P1", header, rows),
        Table("Targets on P2 and P3", ["target", "reached", "ours"], unseen_rows(material.evaluation)),
        Table(
            "Targets that this evaluation does not measure",
            ["target", "ours", "reached"],
            [[name, goal, "not measured here"] for name, goal in _not_evaluated(material.evaluation)],
        ),
        Heading("The gate's decision", 3),
        *_gate(material.gate),
    ]


def _not_evaluated(evaluation: EvaluationResult) -> tuple[tuple[str, str], ...]:
    judged = over_cosine_without_conditions(evaluation.protocols["P1"], evaluation.subject)
    return NOT_EVALUATED if judged else (_WITHOUT_CONDITIONS, *NOT_EVALUATED)


def unmet(evaluation: EvaluationResult) -> list[str]:
    """Each target of P1 whose own or production level is not met, with its number."""
    return [
        f"{row.name}: {row.reached} (production {row.production[0]}, ours {row.ours[0]})"
        for row in target_outcomes(evaluation)
        if _misses(row)
    ]


def _misses(row: TargetOutcome) -> bool:
    return False in (row.minimum[1], row.production[1], row.ours[1])


def unseen_rows(evaluation: EvaluationResult) -> list[list[str]]:
    """Name, number reached and verdict of each target on unseen practices and targets."""
    rows = []
    for protocol, (forward, backward, consistency) in _OURS.items():
        result = evaluation.protocols[protocol]
        subject = result.scorers[evaluation.subject]
        one = subject.directions[DIRECTIONS[0]].accuracy["5"]
        two = subject.directions[DIRECTIONS[1]].accuracy["3"]
        rows.append(_at_least(f"{protocol} {WAYS[DIRECTIONS[0]]} accuracy@5", one, forward))
        if "memoriser" in result.scorers:
            floor = result.scorers["memoriser"].directions[DIRECTIONS[0]].accuracy["5"].value
            rows.append(_above_memoriser(protocol, one, floor))
        if backward is not None:
            rows.append(_at_least(f"{protocol} {WAYS[DIRECTIONS[1]]} accuracy@3", two, backward))
        if consistency is not None:
            rows.append(_at_least(f"{protocol} consistency", subject.consistency, consistency))
        bare = over_cosine_without_conditions(result, evaluation.subject)
        if bare is not None:
            rows.append(
                [f"{protocol} without condition fields", bare[0], _verdict("≥ 5 points over the cosine", bare[1])]
            )
    return rows


def _at_least(name: str, estimate: Estimate, goal: int) -> list[str]:
    met = None if estimate.value is None else 100 * estimate.value >= goal
    return [name, estimate_text(estimate), _verdict(f"≥ {goal}", met)]


def _above_memoriser(protocol: str, estimate: Estimate, floor: float | None) -> list[str]:
    met = None if estimate.value is None or floor is None else estimate.value >= floor + MARGIN
    name = f"{protocol} {WAYS[DIRECTIONS[0]]} accuracy@5 over the memoriser"
    reached = f"{percent(estimate.value)} against {percent(floor)}"
    return [name, reached, _verdict("≥ 5 points more", met)]


def _verdict(threshold: str, met: bool | None) -> str:
    if threshold == "none":
        return threshold
    return f"{threshold}: " + {True: "met", False: "NOT MET", None: "not measured"}[met]


def _gate(gate: Mapping[str, Any]) -> list[Block]:
    if not gate:
        return [Paragraph("The gate has not decided over this version.")]
    if gate["provisional"]:
        verdict = "The gate lets this version pass provisionally: a baseline beats it, and every answer says so."
    elif gate["passed"]:
        verdict = "The gate lets this version pass."
    else:
        verdict = "The gate refuses this version."
    rules = [f"{rule['name']}: {'passed' if rule['passed'] else 'FAILED'}. {rule['detail']}" for rule in gate["rules"]]
    return [Paragraph(verdict), Bullets(rules)]
