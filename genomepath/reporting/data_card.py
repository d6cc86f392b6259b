"""What the model was trained and judged on: counts, sources, and what a label means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from genomepath.ml.snapshot import DIRECTIONS, DOSES
from genomepath.reporting.document import Block, Bullets, Heading, Paragraph, Table
from genomepath.reporting.material import ReportMaterial
from genomepath.reporting.wording import WAYS

_QUALITIES = ("good", "moderate", "poor")
_DERIVED = (
    "A positive label says that a curated chain of documents links a documented use of the practice, over a condition, to "
    "the target. It is no measurement of biology.",
    "A missing label says that no such chain is documented. It counts as negative, although the association may only be "
    "undocumented.",
    "The confidence of a label comes from level, number and distance of its evidence, and says how well the link is "
    "documented.",
    "Every label of this data was derived by one rule over curated documents. The rule is printed as the oracle: it knows "
    "the labels by definition, and stands outside every comparison and the gate.",
)
_IMPORTED = (
    "Labels and their confidences are as they were imported or entered, not derived here: a positive label says that the "
    "data links the practice to the target; a chain of documents need not stand behind it. It is no measurement of biology.",
    "A missing label says that the data holds no such link. It counts as negative, although the association may only be "
    "unrecorded.",
)


def data_card(material: ReportMaterial) -> list[Block]:
    """The section."""
    return [
        Heading("Data card"),
        Table("What the snapshot holds", ["what", "count"], _counts(material)),
        Table(
            "Correlation rows by dose and quality of their evidence",
            ["dose", *_QUALITIES, "all"],
            [_dose_row(material, dose) for dose in DOSES],
        ),
        Paragraph(_sources(material)),
        Paragraph(f"Data SHA-256: {material.evaluation.data_sha256}. Equal content gives an equal sum."),
        Heading("What a label means", 3),
        Bullets(_meanings(material)),
    ]


def _counts(material: ReportMaterial) -> list[list[str]]:
    snapshot, evaluation = material.snapshot, material.evaluation
    linked = {row.target for row in snapshot.correlations}
    directions = Counter(row.direction for row in snapshot.correlations)
    counts: Iterable[tuple[str, int]] = (
        ("practices", len(snapshot.practices)),
        ("traditions", len({record.tradition for record in snapshot.practices})),
        ("communities", material.sources.communities),
        ("genomic targets", len(snapshot.targets)),
        ("targets without any correlation", len(snapshot.targets) - len(linked)),
        ("correlation rows", len(snapshot.correlations)),
        *((f"correlation rows found {WAYS[way]}", directions[way]) for way in DIRECTIONS),
        ("(practice, target) pairs, the unit of every split", evaluation.pairs),
        ("curated synergy pairs of targets", len(snapshot.synergies)),
        ("documents that record the practices", material.sources.practice_sources),
        ("items of evidence cited", sum(material.sources.evidence_by_level.values())),
    )
    return [[name, f"{count:,}"] for name, count in counts]


def _dose_row(material: ReportMaterial, dose: str) -> list[str]:
    found = Counter(row.quality for row in material.snapshot.correlations if row.dose == dose)
    return [dose, *(str(found[quality]) for quality in _QUALITIES), str(sum(found.values()))]


def _sources(material: ReportMaterial) -> str:
    levels = sorted(material.sources.evidence_by_level.items(), key=lambda entry: (-entry[1], entry[0]))
    listed = ", ".join(f"{level.replace('_', ' ')} {count}" for level, count in levels) or "none"
    return (
        f"Evidence cited by the correlations, by its level: {listed}. A snapshot holds what may be used for training and "
        "says nothing of what else there is."
    )


def drafts_sentence(material: ReportMaterial) -> str:
    """Whether links that no reviewer has approved were trained and judged on."""
    if material.model.include_drafts:
        return "Unvalidated links, drafts and those under review, were included beside the approved ones."
    return "Unvalidated links, drafts and those under review, were left out: every link is an approved one."


def _meanings(material: ReportMaterial) -> list[str]:
    return [*(_DERIVED if material.labels_by_rule else _IMPORTED), drafts_sentence(material)]
