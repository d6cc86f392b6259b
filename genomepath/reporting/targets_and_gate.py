"""The targets that were set, met or not with the number reached, and what the gate decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomepath.ml.performance_targets import (
    PROTOCOLS,
    VALIDATION_LOSS,
    oracle_outcomes,
    over_cosine_without_conditions,
    target_outcomes,
    verdict_text,
)
from genomepath.ml.results import EvaluationResult
from genomepath.reporting.document import Block, Bullets, Heading, Paragraph, Table
from genomepath.reporting.material import ModelFacts, ReportMaterial

_WITHOUT_CONDITIONS = ("Without condition fields", "≥ 5 points over the cosine without them on P1, P2 and P3")
NOT_EVALUATED: tuple[tuple[str, str], ...] = (
    ("Inference", "≤ 1.5 × the bare call of the text encoder for a new text, ≤ 1 ms for a known practice"),
)


def targets_and_gate(material: ReportMaterial) -> list[Block]:
    """The section."""
    evaluation = material.evaluation
    header = ["target", "reached", "minimum", "production", "ours"]
    return [
        Heading("Targets and gate"),
        Paragraph(
            "A target that is not met stands here with the number that was reached. Percent with 95% intervals. Where the "
            "attempts at targets that are missed stand: docs/model_choices.md."
        ),
        *(
            Table(f"Targets on {protocol}", header, [row.cells for row in target_outcomes(evaluation, protocol)])
            for protocol in PROTOCOLS
        ),
        *_beyond_the_oracle(evaluation),
        Table("Target of the training", ["target", "reached", "verdict"], [_loss_row(material.model)]),
        Table(
            "Targets that this evaluation does not measure",
            ["target", "ours", "reached"],
            [[name, goal, "not measured here"] for name, goal in _not_evaluated(evaluation)],
        ),
        Heading("The gate's decision", 3),
        *_gate(material.gate),
    ]


def unmet(material: ReportMaterial) -> list[str]:
    """Each target of P1, P2 and P3, and that of the training, of which a level is missed: the number and those levels."""
    missed = [
        f"{row.name} on {protocol}: {row.reached} (misses {', '.join(row.missed)})"
        for protocol in PROTOCOLS
        for row in target_outcomes(material.evaluation, protocol)
        if row.missed
    ]
    loss = validation_loss(material.model)
    if loss is not None and loss >= VALIDATION_LOSS:
        missed.append(f"Validation loss of the training: {loss:.4f} (misses < {VALIDATION_LOSS})")
    return missed


def validation_loss(model: ModelFacts) -> float | None:
    """Of the epoch whose weights are kept; None where the history has none, as for weights kept as they started."""
    kept = next((row for row in model.history if row["epoch"] == model.best_epoch), {})
    return float(kept["validation_loss"]) if "validation_loss" in kept else None


def _loss_row(model: ModelFacts) -> list[str]:
    loss = validation_loss(model)
    reached = "not measured" if loss is None else f"{loss:.4f} after epoch {model.best_epoch}, whose weights are kept"
    met = None if loss is None else loss < VALIDATION_LOSS
    return ["Validation loss", reached, verdict_text(f"< {VALIDATION_LOSS}", met)]


def _beyond_the_oracle(evaluation: EvaluationResult) -> list[Block]:
    """What nobody can reach, so that no reader takes such a target for a fault of the model."""
    beyond = [
        f"{row.name} on {protocol}: {row.reached} (misses {', '.join(row.missed)})"
        for protocol in PROTOCOLS
        for row in oracle_outcomes(evaluation, protocol)
        if row.missed
    ]
    if not beyond:
        return []
    sentence = (
        "A list of five, eight or ten answers can't hold more links than that, and an unseen practice may have more. The "
        "oracle, which knows every label, does not reach these targets either:"
    )
    return [Paragraph(sentence), Bullets(beyond)]


def _not_evaluated(evaluation: EvaluationResult) -> tuple[tuple[str, str], ...]:
    judged = over_cosine_without_conditions(evaluation.protocols["P1"], evaluation.subject)
    return NOT_EVALUATED if judged else (_WITHOUT_CONDITIONS, *NOT_EVALUATED)


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
