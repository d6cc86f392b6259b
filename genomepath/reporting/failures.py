"""Where the model fails: which targets it finds late, and the held-out pairs that it placed last, with their credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from genomepath.ml.results import PairOutcome
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.material import ReportMaterial
from genomepath.reporting.wording import WAYS, percent

PROTOCOL = "P1"
EXAMPLES = 8
_LINKS = ((1, 2), (3, 5), (6, 10), (11, None))


def failures(material: ReportMaterial) -> list[Block]:
    """The section. Examples name practices that may be named to everybody, each with community and source."""
    blocks: list[Block] = [
        Heading("Failures"),
        Paragraph(
            f"Held-out pairs of {PROTOCOL}. A rank is the inverse of the mean reciprocal rank over seeds; a late one means "
            "that the model did not find a documented link again."
        ),
        _by_links(material),
    ]
    for way in DIRECTIONS:
        rows = [_example_row(material, row, way) for row in worst_pairs(material, way)]
        if rows:
            title = f"Held-out links that were found last, {WAYS[way]}"
            header = ["practice", "community", "source", "target", "rank"]
            blocks.append(Table(title, header, rows))
    return blocks


def worst_pairs(material: ReportMaterial, way: str) -> list[PairOutcome]:
    """The pairs with the lowest reciprocal rank, of practices that may be named."""
    outcomes = material.evaluation.protocols[PROTOCOL].outcomes
    named = [row for row in outcomes if row.practice in material.credits]
    return sorted(named, key=lambda row: (getattr(row, way), row.practice, row.target))[:EXAMPLES]


def _example_row(material: ReportMaterial, row: PairOutcome, way: str) -> list[str]:
    credit = material.credits[row.practice]
    return [credit.title, credit.community, credit.source, row.target, f"{1 / getattr(row, way):.1f}"]


def _by_links(material: ReportMaterial) -> Table:
    pairs = {(row.practice, row.target) for row in material.snapshot.correlations}
    links = Counter(target for _, target in pairs)
    outcomes = material.evaluation.protocols[PROTOCOL].outcomes
    rows = []
    for low, high in _LINKS:
        part = [row for row in outcomes if low <= links[row.target] and (high is None or links[row.target] <= high)]
        name = f"{low} or more" if high is None else f"{low} to {high}"
        rows.append([name, str(len(part)), *(_mrr(part, way) for way in DIRECTIONS)])
    header = ["links of the target", "held-out pairs", *(f"MRR {WAYS[way]}" for way in DIRECTIONS)]
    return Table("By how many practices a target is linked to", header, rows)


def _mrr(rows: Sequence[PairOutcome], way: str) -> str:
    return percent(float(np.mean([getattr(row, way) for row in rows])) if rows else None)
