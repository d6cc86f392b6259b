"""How often a free text gets no answer because it is far from all that is known."""

from __future__ import annotations

from genomepath.ml.far_texts import JUDGING
from genomepath.ml.report import abstention_rows
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.material import ReportMaterial

HEADER = ("text", "texts", "without answer, threshold of the fold", "without answer, threshold in service")


def texts_without_answer(material: ReportMaterial) -> list[Block]:
    """The section."""
    found = material.evaluation.abstention
    heading = Heading("Texts that get no answer")
    if found is None:
        return [heading, Paragraph("This evaluation did not measure it: evaluate_genomepath measures it with P2.")]
    low, high = min(found.thresholds), max(found.thresholds)
    return [
        heading,
        Paragraph(
            "A text of a caller's own is compared with all practices that may be used; the nearest counts. The practices "
            f"that P2 holds out stand for texts about something documented, {len(JUDGING)} sentences about trains, accounts "
            "and the like for texts about nothing known. Each fold chose its threshold on its training side and on other "
            f"sentences ({low:.2f} to {high:.2f}); {found.served_threshold:.2f} is in service. Intervals are by practices "
            "and by sentences."
        ),
        Table("Share of texts without an answer, percent with 95% intervals", HEADER, abstention_rows(found)),
    ]
