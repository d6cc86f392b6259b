"""The whole training report as one document. Nothing in it is typed: each number comes from the material."""

from __future__ import annotations

from genomepath.reporting.ablations import ablations
from genomepath.reporting.comparison import protocol_tables, standing
from genomepath.reporting.data_card import data_card
from genomepath.reporting.document import Block, Bullets, Document, Heading, Notice, Paragraph, Table
from genomepath.reporting.doses_and_synergies import doses, synergies
from genomepath.reporting.failures import failures
from genomepath.reporting.learning_curves import learning_curves
from genomepath.reporting.material import CONSTANTS, NOT_MEDICAL_ADVICE, ReportMaterial, check_material
from genomepath.reporting.permutations import permutations
from genomepath.reporting.reliability import reliability
from genomepath.reporting.sets import conformal_sets
from genomepath.reporting.targets_and_gate import targets_and_gate
from genomepath.reporting.texts_without_answer import texts_without_answer
from genomepath.reporting.traditions import traditions


def training_report(material: ReportMaterial) -> Document:
    """The report of one model version.

    Raises:
        ReportError: see ``check_material``.
    """
    check_material(material)
    return Document(
        "GenomePath model training report",
        [
            Notice(NOT_MEDICAL_ADVICE),
            Paragraph(_identity(material)),
            *standing(material),
            *data_card(material),
            *_protocol(material),
            *protocol_tables(material),
            *targets_and_gate(material),
            *learning_curves(material),
            *reliability(material),
            *conformal_sets(material),
            *texts_without_answer(material),
            *doses(material),
            *synergies(material),
            *traditions(material),
            *failures(material),
            *permutations(material.permutation),
            *ablations(material.ablation),
            *_limits(material),
            *_credits(material),
        ],
    )


def _identity(material: ReportMaterial) -> str:
    model, evaluation = material.model, material.evaluation
    return (
        f"Model {model.sha256}, preset {model.preset}, training seed {model.seed}. Evaluated with seeds "
        f"{', '.join(map(str, evaluation.seeds))} and {evaluation.folds} outer folds on {', '.join(evaluation.protocols)}. "
        f"Code {model.code_version[:12]}, constraints {model.constraints_sha256[:12] or 'not recorded'}. Written by "
        "evaluate_genomepath --report; not edited."
    )


def _protocol(material: ReportMaterial) -> list[Block]:
    evaluation = material.evaluation
    return [
        Heading("Protocol"),
        Bullets(
            [
                "The unit is the (practice, target) pair; all doses and both directions of a pair stand on one side.",
                "P1 holds pairs out, P2 whole practices, P3 whole targets; P0, where it is shown, holds correlation rows "
                "out and measures memory.",
                f"P1 to P3 are nested: {evaluation.folds} outer folds judge, an inner part of each training side stops "
                "early and inner parts calibrate confidences and sets. The configuration is trained anew in each fold.",
                CONSTANTS,
                "Candidates are always the whole catalogue. Ranks are filtered and aware of ties.",
                "Intervals are 95%, by bootstrap over whole practices (P3: targets), never over pairs.",
            ]
        ),
        Heading("Leakage checks passed", 3),
        Bullets(evaluation.leakage_checks),
    ]


def _limits(material: ReportMaterial) -> list[Block]:
    return [
        Heading("What the numbers don't mean"),
        Bullets(
            [
                *material.evaluation.notes,
                "A confidence is calibrated on held-out pairs of catalogued practices and targets; for anything else it is "
                "an orientation.",
                "A practice or community that ranks low is not less true or less valuable: fewer documents that this "
                "data could cite link it to targets.",
            ]
        ),
    ]


def _credits(material: ReportMaterial) -> list[Block]:
    """Every practice that the report may name, with its community, statement, source and labels."""
    if not material.credits:
        return []
    rows = [
        [credit.title, credit.community, credit.statement, credit.source, ", ".join(credit.labels) or "none"]
        for credit in sorted(material.credits.values(), key=lambda credit: (credit.title, credit.community))
    ]
    header = ["practice", "community", "statement", "source", "labels"]
    return [
        Heading("Whose knowledge this is"),
        Paragraph(
            "The practices behind this report that may be named to everybody, as their communities are credited."
        ),
        Table("Attribution", header, rows),
    ]
