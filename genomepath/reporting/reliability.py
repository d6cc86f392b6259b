"""Whether a confidence is a probability: ECE, Brier, and a reliability diagram for each direction."""

from __future__ import annotations

from genomepath.ml.results import ProtocolResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.charts import reliability_chart
from genomepath.reporting.document import Block, Figure, Heading, Paragraph, Table
from genomepath.reporting.material import REPORTED_PROTOCOLS, ReportMaterial
from genomepath.reporting.wording import WAYS, estimate_text, ordered_scorers

NO_PROBABILITY = 0.10
"""The production target of ECE: from here on a confidence is said to be no probability."""


def reliability(material: ReportMaterial) -> list[Block]:
    """The section."""
    subject = material.evaluation.subject
    blocks: list[Block] = [
        Heading("Calibration"),
        Paragraph(
            "Judged where a confidence is read: held-out candidates among the five best answers, in ten bins of equal mass, "
            "the expected effect of the noise of a bin taken off. Calibration was fitted on inner folds, from practice to "
            "target with a curve for each dose that reads a score beside the highest of its list. In a diagram a point "
            "below the dotted diagonal is overconfident; a larger point holds more candidates."
        ),
    ]
    blocks += [Paragraph(sentence) for sentence in [_no_probabilities(material)] if sentence]
    for result in material.protocols:
        if result.protocol in REPORTED_PROTOCOLS:
            blocks.append(_table(result, subject))
            blocks += [_figure(result, way, subject) for way in DIRECTIONS]
    return blocks


def _no_probabilities(material: ReportMaterial) -> str:
    """Where the model's confidences are off by so much that nobody should read them as probabilities."""
    found = [
        f"{result.protocol} {WAYS[way]} ({estimate_text(ece)})"
        for result in material.protocols
        for way in DIRECTIONS
        if (ece := result.scorers[material.evaluation.subject].directions[way].ece) is not None
        if ece.value is not None and ece.value >= NO_PROBABILITY
    ]
    if not found:
        return ""
    return f"The model's confidences are no probabilities on {', '.join(found)}: ECE in parentheses, in percent."


def _table(result: ProtocolResult, subject: str) -> Table:
    header = [f"calibration on {result.protocol}"]
    header += [f"{metric} {WAYS[way]}" for way in DIRECTIONS for metric in ("ECE", "Brier")]
    rows = [
        [
            name,
            *(
                estimate_text(cell)
                for way in DIRECTIONS
                for cell in (row.directions[way].ece, row.directions[way].brier)
            ),
        ]
        for name, row in ordered_scorers(result, subject)
    ]
    return Table(f"Calibration error on {result.protocol}, percent with 95% intervals", header, rows, marked=subject)


def _figure(result: ProtocolResult, way: str, subject: str) -> Block:
    cells = result.scorers[subject].directions[way]
    title = f"Reliability {WAYS[way]} on {result.protocol}"
    if not cells.reliability:
        return Paragraph(f"{title}: no held-out candidate was among the five best answers.")
    over = sum(cell.count for cell in cells.reliability if cell.observed_rate < cell.mean_probability)
    total = sum(cell.count for cell in cells.reliability)
    description = (
        f"{title}: ECE {estimate_text(cells.ece)} percent over {total} candidates, {over} of them in bins whose mean "
        "confidence is above the observed rate."
    )
    table = Table(
        title,
        ["bin", "mean confidence", "observed rate", "candidates"],
        [
            [str(number), f"{100 * cell.mean_probability:.1f}", f"{100 * cell.observed_rate:.1f}", str(cell.count)]
            for number, cell in enumerate(cells.reliability, start=1)
        ],
    )
    return Figure(reliability_chart(title, description, cells.reliability), description, table)
