"""Results by tradition: each is shown, none is averaged away, and what is too small to judge is named as such."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genomepath.ml.results import PairOutcome
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Heading, Paragraph, Table
from genomepath.reporting.material import ReportMaterial
from genomepath.reporting.wording import WAYS, percent

ENOUGH_PAIRS = 10
"""With fewer held-out pairs one pair more or less moves the number by ten points: too small to judge."""
_SHOWN = ("P1", "P2")


@dataclass(frozen=True)
class TraditionResult:
    """One tradition: its practices, its held-out pairs, and MRR by (protocol, direction)."""

    tradition: str
    practices: int
    pairs: int
    mrr: Mapping[tuple[str, str], float]

    @property
    def is_judged(self) -> bool:
        """Whether it has enough pairs for its number to mean something."""
        return self.pairs >= ENOUGH_PAIRS


def traditions(material: ReportMaterial) -> list[Block]:
    """The section, over the practices that may be named."""
    found = tradition_results(material)
    if not found:
        return [Heading("By tradition"), Paragraph("This report names no practice, and so no tradition.")]
    header = [
        "tradition",
        "practices",
        "pairs",
        *(f"{p} MRR {WAYS[way]}" for p in _SHOWN for way in DIRECTIONS),
        "remark",
    ]
    rows = [
        [
            row.tradition,
            str(row.practices),
            str(row.pairs),
            *(percent(row.mrr.get((p, way))) for p in _SHOWN for way in DIRECTIONS),
            "" if row.is_judged else f"too small to judge: fewer than {ENOUGH_PAIRS} pairs",
        ]
        for row in found
    ]
    return [
        Heading("By tradition"),
        Paragraph(
            "MRR over the held-out pairs of each tradition, in percent. There are no intervals: they are drawn over whole "
            "practices, and few traditions have more than one here. P1 holds pairs out, P2 the whole practice."
        ),
        Table("Held-out pairs by tradition, the most pairs first", header, [*rows, *_summary_rows(material, found)]),
        Paragraph(_in_words(material, found)),
    ]


def tradition_results(material: ReportMaterial) -> list[TraditionResult]:
    """Every tradition with a held-out pair of P1, the most pairs first."""
    tradition_of = named_traditions(material)
    outcomes: dict[str, dict[str, list[PairOutcome]]] = {protocol: defaultdict(list) for protocol in _SHOWN}
    for protocol in _SHOWN:
        for row in material.evaluation.protocols[protocol].outcomes:
            if row.practice in tradition_of:
                outcomes[protocol][tradition_of[row.practice]].append(row)
    results = [
        TraditionResult(
            tradition=name,
            practices=len({row.practice for row in rows}),
            pairs=len(rows),
            mrr={
                (protocol, way): float(np.mean([getattr(row, way) for row in outcomes[protocol][name]]))
                for protocol in _SHOWN
                for way in DIRECTIONS
                if outcomes[protocol][name]
            },
        )
        for name, rows in outcomes["P1"].items()
    ]
    return sorted(results, key=lambda row: (-row.pairs, row.tradition))


def named_traditions(material: ReportMaterial) -> dict[str, str]:
    """The tradition of each practice that may be named, by slug."""
    return {record.slug: record.tradition for record in material.snapshot.practices if record.slug in material.credits}


def _summary_rows(material: ReportMaterial, found: Sequence[TraditionResult]) -> list[list[str]]:
    columns = [(protocol, way) for protocol in _SHOWN for way in DIRECTIONS]
    each_once = [np.mean([row.mrr[column] for row in found if column in row.mrr]) for column in columns]
    chance = [material.evaluation.protocols[protocol].chance.mrr[way] for protocol, way in columns]
    return [
        ["each tradition once", "", "", *(percent(float(value)) for value in each_once), ""],
        ["chance, all pairs", "", "", *map(percent, chance), ""],
    ]


def _in_words(material: ReportMaterial, found: Sequence[TraditionResult]) -> str:
    small = [row.tradition for row in found if not row.is_judged]
    sentences = [f"Too small to judge by itself: {len(small)} of {len(found)} traditions."]
    unlinked = sorted(set(named_traditions(material).values()) - {row.tradition for row in found})
    if unlinked:
        sentences.append(f"Without any link in the data, so that nothing was held out: {', '.join(unlinked)}.")
    for way in DIRECTIONS:
        chance = material.evaluation.protocols["P1"].chance.mrr[way]
        below = [row.tradition for row in found if row.mrr[("P1", way)] < chance]
        sentences.append(f"Below chance {WAYS[way]} on P1: {', '.join(below) or 'none'}.")
    return " ".join(sentences)
