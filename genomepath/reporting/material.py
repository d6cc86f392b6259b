"""What a report is made from: an evaluation, its snapshot, the model's files, and what may be named, with its credit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genomepath.ml.permutation_test import PermutationResult
from genomepath.ml.results import EvaluationResult, ProtocolResult
from genomepath.ml.snapshot import Snapshot

REPORTED_PROTOCOLS: tuple[str, ...] = ("P1", "P2", "P3")
NOT_MEDICAL_ADVICE = (
    "Not medical advice. A prediction says that a target is associated with the evidence behind a documented use, and "
    "nothing of whether any practice works or is safe."
)


CONSTANTS = (
    "Weights, early stopping and calibration are nested: the outer folds that judge take no part in them. Fixed constants "
    "(the ridges of the pair scorer, the effect of a query, the part of the records that a step takes for new, prior and "
    "number of parts of the calibration) were chosen on inner parts of the bundled data while its outer numbers were seen: "
    "see docs/model_choices.md."
)
"""What of the model was chosen on which data; the report and the card both say it."""


class ReportError(ValueError):
    """The evaluation can't be reported on; the message says what is missing."""


@dataclass(frozen=True)
class PracticeCredit:
    """What must stand beside a practice wherever it is named."""

    title: str
    community: str
    statement: str
    source: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFacts:
    """Which model it is, and how its training went, epoch by epoch.

    ``calibration_parts`` as in ``ModelConfig``; ``include_drafts``: it was also trained on links that nobody has approved.
    """

    sha256: str
    preset: str
    seed: int
    best_epoch: int
    data_sha256: str
    code_version: str
    constraints_sha256: str
    calibration_parts: int
    include_drafts: bool
    history: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class SourceCounts:
    """Communities whose practices are in the data, documents that record practices, evidence cited, by its level."""

    communities: int
    practice_sources: int
    evidence_by_level: Mapping[str, int]


@dataclass(frozen=True)
class Ablation:
    """The variants of a model as the scorers of one evaluation, and the preset that they vary."""

    evaluation: EvaluationResult
    preset: str


@dataclass(frozen=True)
class ReportMaterial:
    """All that a report is written from.

    ``credits`` holds the practices that may be named to everybody, by slug: no other practice is named, or counted with
    its tradition. ``gate`` is the stored decision.
    """

    evaluation: EvaluationResult
    snapshot: Snapshot
    model: ModelFacts
    sources: SourceCounts
    credits: Mapping[str, PracticeCredit]
    gate: Mapping[str, Any] = field(default_factory=dict)
    ablation: Ablation | None = None
    permutation: PermutationResult | None = None

    @property
    def protocols(self) -> list[ProtocolResult]:
        """The protocols of the evaluation in their order."""
        return [self.evaluation.protocols[name] for name in sorted(self.evaluation.protocols)]

    @property
    def labels_by_rule(self) -> bool:
        """Whether the labels were derived by a rule, which then stands in the evaluation as its oracle."""
        return any(row.oracle for result in self.protocols for row in result.scorers.values())


def check_material(material: ReportMaterial) -> None:
    """Everything that the report promises is there.

    Raises:
        ReportError: a protocol, the judged model or its snapshot is missing, or the ablation or the permutation test is of
            other data.
    """
    evaluation = material.evaluation
    missing = [name for name in REPORTED_PROTOCOLS if name not in evaluation.protocols]
    if missing:
        raise ReportError(f"A report needs the protocols P1, P2 and P3; the evaluation lacks {', '.join(missing)}.")
    unjudged = [result.protocol for result in material.protocols if evaluation.subject not in result.scorers]
    if unjudged:
        raise ReportError(f"The evaluation does not judge {evaluation.subject!r} on {', '.join(unjudged)}.")
    if material.snapshot.data_sha256 != evaluation.data_sha256:
        raise ReportError("The evaluation is of other data than the snapshot.")
    if material.ablation is not None and material.ablation.evaluation.data_sha256 != evaluation.data_sha256:
        raise ReportError("The ablation is of other data than the evaluation.")
    if material.permutation is not None and material.permutation.data_sha256 != evaluation.data_sha256:
        raise ReportError("The permutation test is of other data than the evaluation.")
