"""Dosage-specific accuracy, dose concordance, and the recognition of curated synergy pairs."""

from __future__ import annotations

from genomepath.ml.dose_metrics import CHANCE_CONCORDANCE, RECALL_CUTOFFS
from genomepath.ml.results import SYNERGY_RATES, ProtocolResult
from genomepath.ml.snapshot import DOSES
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.material import REPORTED_PROTOCOLS, ReportMaterial
from genomepath.reporting.wording import estimate_text, ordered_scorers, percent


def doses(material: ReportMaterial) -> list[Block]:
    """The section; it begins with whether the data can tell doses apart at all."""
    blocks: list[Block] = [Heading("Dose"), Paragraph(_what_the_data_can_tell(material))]
    for result in _reported(material):
        blocks += [_dose_table(result, dose, material.evaluation.subject) for dose in DOSES]
        if any(row.dose_concordance is not None for row in result.scorers.values()):
            blocks.append(_concordance_table(result, material.evaluation.subject))
    return blocks


def synergies(material: ReportMaterial) -> list[Block]:
    """The section."""
    blocks: list[Block] = [Heading("Synergy")]
    tables = [table for result in _reported(material) if (table := _synergy_table(result, material.evaluation.subject))]
    if not tables:
        return [*blocks, Paragraph("The data holds no curated synergy pair: nothing can be measured.")]
    blocks.append(
        Paragraph(
            "A curated pair of targets is recognised for a practice when both are among its five best answers, each scored "
            "by a model that did not see it. Macro-recall leaves the commonest pair out, which popularity alone would "
            "recognise. Recognition says that a documented pair was found again, not that the two act together in anybody."
        )
    )
    return [*blocks, *tables]


def _reported(material: ReportMaterial) -> list[ProtocolResult]:
    return [result for result in material.protocols if result.protocol in REPORTED_PROTOCOLS]


def _what_the_data_can_tell(material: ReportMaterial) -> str:
    by_dose: dict[str, set[tuple[str, str]]] = {dose: set() for dose in DOSES}
    for row in material.snapshot.correlations:
        by_dose[row.dose].add((row.practice, row.target))
    low, medium, high = by_dose.values()
    if low == medium == high:
        return (
            "This data can't tell doses apart: every practice has the same targets at each of its doses, because no source "
            "resolves dose and the dose profiles are modelled. The three tables repeat one measurement, small differences "
            "between them say nothing about doses, and dose concordance can't be measured."
        )
    return (
        f"{len(high - low - medium)} pairs are documented at the high dose alone, {len(low - medium - high)} at the low "
        "dose alone. Dose concordance is the share of comparisons in which a low-dose target comes before a high-only one."
    )


def _dose_table(result: ProtocolResult, dose: str, subject: str) -> Table:
    rows = [
        [name, *(estimate_text(row.dose_recall[dose][str(k)]) for k in RECALL_CUTOFFS)]
        for name, row in ordered_scorers(result, subject)
    ]
    chance = result.chance.dose_recall.get(dose)
    if chance:
        rows.append(["chance", *(percent(chance[str(k)]) for k in RECALL_CUTOFFS)])
    header = [f"{dose} dose", *(f"recall@{k}" for k in RECALL_CUTOFFS)]
    return Table(f"Recall at the {dose} dose on {result.protocol}", header, rows, marked=subject)


def _concordance_table(result: ProtocolResult, subject: str) -> Table:
    rows = [
        [name, estimate_text(row.dose_concordance), str(row.dose_concordance.clusters)]
        for name, row in ordered_scorers(result, subject)
        if row.dose_concordance is not None
    ]
    rows.append(["chance", percent(CHANCE_CONCORDANCE), ""])
    return Table(
        f"Dose concordance on {result.protocol}",
        ["dose concordance", "low before high-only", "practices"],
        rows,
        marked=subject,
    )


def _synergy_table(result: ProtocolResult, subject: str) -> Table | None:
    found = [(name, row.synergy) for name, row in ordered_scorers(result, subject) if row.synergy is not None]
    if not found:
        return None
    header = ["synergy", "instances", "recall", "precision", "F1", "macro-recall", "without"]
    rows = [
        [
            name,
            str(row.instances),
            *map(percent, (row.recall, row.precision, row.f1, row.macro_recall)),
            row.commonest or "none",
        ]
        for name, row in found
    ]
    if result.chance.synergy:
        rows.append(["chance", "", *(percent(result.chance.synergy[rate]) for rate in SYNERGY_RATES), ""])
    return Table(f"Synergy recognition on {result.protocol}, percent", header, rows, marked=subject)
