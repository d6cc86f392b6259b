"""How often a text or description gets no answer because it is far from all that is known."""

from __future__ import annotations

from genomepath.ml.far_texts import JUDGING
from genomepath.ml.report import DESCRIPTION_KINDS, TEXT_KINDS, abstention_rows
from genomepath.ml.results import AbstentionResult
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.material import ReportMaterial

_HEADER = ("text", "texts", "without answer, threshold of the fold", "without answer, threshold in service")


def texts_without_answer(material: ReportMaterial) -> list[Block]:
    """The section."""
    texts, descriptions = material.evaluation.text_abstention, material.evaluation.description_abstention
    blocks: list[Block] = [Heading("Texts that get no answer")]
    if texts is not None:
        blocks.append(
            Paragraph(
                "A text of a caller's own is compared with all practices that may be used; the nearest counts. The "
                "practices that P2 holds out stand for texts about something documented, "
                f"{len(JUDGING)} sentences about trains, accounts and the like for texts about nothing known. "
                + _thresholds(texts)
                + " Intervals are by practices and by sentences."
            )
        )
    if descriptions is not None:
        blocks.append(
            Paragraph(
                "A description of a gene or of findings is compared with every known target, whole and field by field. "
                "The targets that P3 holds out stand for descriptions of a gene, the same sentences for findings about "
                f"nothing known. {_thresholds(descriptions)} Intervals are by targets and by sentences."
            )
        )
    tables = abstention_tables(material)
    if not tables:
        blocks.append(Paragraph("This evaluation did not measure it: evaluate_genomepath measures it with P2 and P3."))
    return [*blocks, *tables]


def abstention_tables(material: ReportMaterial) -> list[Block]:
    """A table of the texts and one of the descriptions, each where it was measured."""
    texts, descriptions = material.evaluation.text_abstention, material.evaluation.description_abstention
    tables: list[Block] = []
    if texts is not None:
        caption = "Share of texts without an answer, percent with 95% intervals"
        tables.append(Table(caption, _HEADER, abstention_rows(texts, TEXT_KINDS)))
    if descriptions is not None:
        caption = "Share of descriptions without an answer, percent with 95% intervals"
        tables.append(Table(caption, _HEADER, abstention_rows(descriptions, DESCRIPTION_KINDS)))
    return tables


def _thresholds(found: AbstentionResult) -> str:
    low, high = min(found.thresholds), max(found.thresholds)
    return (
        f"Each fold chose its threshold on its training side and on other sentences ({low:.2f} to {high:.2f}); "
        f"{found.served_threshold:.2f} is in service."
    )
