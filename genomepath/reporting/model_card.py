"""The model card: what the model is for and not for, on what it was trained, how good it is, and where it fails."""

from __future__ import annotations

from genomepath.reporting.comparison import main_table
from genomepath.reporting.data_card import drafts_sentence
from genomepath.reporting.document import Block, Bullets, Document, Heading, Notice, Paragraph, Table
from genomepath.reporting.losses import losses
from genomepath.reporting.material import CONSTANTS, NOT_MEDICAL_ADVICE, ReportMaterial, check_material
from genomepath.reporting.sets import target_rows
from genomepath.reporting.targets_and_gate import unmet
from genomepath.reporting.texts_without_answer import abstention_tables
from genomepath.reporting.traditions import ENOUGH_PAIRS, tradition_results


def model_card(material: ReportMaterial) -> Document:
    """The card of one model version.

    Raises:
        ReportError: see ``check_material``.
    """
    check_material(material)
    return Document(
        "Model card: GenomePath",
        [
            Notice(NOT_MEDICAL_ADVICE),
            *_details(material),
            *_uses(),
            *_data(material),
            *_quality(material),
            *_limits(material),
            *_ethics(),
        ],
    )


def _details(material: ReportMaterial) -> list[Block]:
    model, gate = material.model, material.gate
    if not gate:
        decision = "The gate has not decided over it."
    elif gate["provisional"]:
        decision = "The gate lets it pass provisionally: a baseline beats it."
    else:
        decision = "The gate lets it pass." if gate["passed"] else "The gate refuses it."
    return [
        Heading("The model"),
        Bullets(
            [
                "A dual-tower transformer between documented traditional practices and genomic targets, both directions, "
                "with late interaction of texts and link evidence beside the towers.",
                f"Version {model.sha256}",
                f"Preset {model.preset}, seed {model.seed}, weights of epoch {model.best_epoch}",
                f"Data {model.data_sha256}",
                f"Code {model.code_version}",
                decision,
            ]
        ),
    ]


def _uses() -> list[Block]:
    return [
        Heading("Intended use"),
        Paragraph(
            "Ranking of genomic targets and documented practices by association, for research and review, always with the "
            "attribution of the community that holds the knowledge."
        ),
        Heading("Not for"),
        Bullets(
            [
                "Choosing, dosing or recommending a treatment for anybody.",
                "Saying that a practice works or is safe, or that one tradition's knowledge is better than another's.",
                "Use without attribution, or of knowledge that its community has not allowed for the purpose.",
                "Practices and targets far from the catalogue: the numbers below say nothing of them.",
            ]
        ),
    ]


def _data(material: ReportMaterial) -> list[Block]:
    evaluation, sources = material.evaluation, material.sources
    return [
        Heading("Training data"),
        Paragraph(
            f"{evaluation.practices} practices of {sources.communities} communities, {evaluation.targets} targets, "
            f"{evaluation.correlations} correlation rows, {evaluation.pairs} (practice, target) pairs; "
            f"{sum(sources.evidence_by_level.values())} items of evidence cited. {_labels(material)} "
            f"{drafts_sentence(material)} Only what the ethics policy allows for training is in it; a withdrawal marks the "
            "model."
        ),
    ]


def _labels(material: ReportMaterial) -> str:
    if material.labels_by_rule:
        return "Labels are curated evidence links, derived by a rule over documents, not biology."
    return "Labels and their confidences are as they were imported or entered, not derived here, and no biology."


def _quality(material: ReportMaterial) -> list[Block]:
    evaluation = material.evaluation
    return [
        Heading("Quality on data that it did not see"),
        Paragraph(
            f"Percent with 95% intervals, {len(evaluation.seeds)} seed{'' if len(evaluation.seeds) == 1 else 's'}, "
            f"{evaluation.folds} outer folds. TK→G: targets for a practice; G→TK: practices for a target."
        ),
        Paragraph(CONSTANTS),
        *(main_table(result, evaluation.subject) for result in material.protocols),
        *losses(evaluation),
        *_sets(material),
        *_texts(material),
        Heading("Targets not met", 3),
        Bullets(unmet(material) or ["None: every target that was measured is met."]),
    ]


def _sets(material: ReportMaterial) -> list[Block]:
    rows = target_rows(material)
    if not rows:
        return []
    return [
        Heading("90% sets", 3),
        Paragraph(
            "Share of held-out links in the set of their question. Sets of texts of your own are not calibrated."
        ),
        Table("Coverage of the 90% sets, percent with 95% intervals", ["coverage", "reached", "ours"], rows),
    ]


def _texts(material: ReportMaterial) -> list[Block]:
    tables = abstention_tables(material)
    if not tables:
        return []
    evaluation = material.evaluation
    said = {
        "Texts less close than {} to every practice that may be used get none.": evaluation.text_abstention,
        "Descriptions less close than {} to every known target get none.": evaluation.description_abstention,
    }
    limits = [text.format(f"{found.served_threshold:.2f}") for text, found in said.items() if found is not None]
    return [Heading("Texts that get no answer", 3), Paragraph(" ".join(limits)), *tables]


def _limits(material: ReportMaterial) -> list[Block]:
    found = tradition_results(material)
    small = sum(not row.is_judged for row in found)
    return [
        Heading("Limits"),
        Bullets(
            [
                *material.evaluation.notes,
                *dict.fromkeys(note for result in material.protocols for note in result.notes),
                f"By tradition: {small} of {len(found)} have fewer than {ENOUGH_PAIRS} held-out pairs, too few to judge.",
            ]
        ),
    ]


def _ethics() -> list[Block]:
    return [
        Heading("Ethics"),
        Bullets(
            [
                "Sacred, withheld and unattributed knowledge is in neither the snapshot nor the model; every answer is "
                "filtered again when it is read.",
                "A withdrawal marks every version trained on the practice; a marked version can't be promoted.",
                "Every answer carries community, statement, source and labels, and is noted in an append-only log.",
            ]
        ),
    ]
