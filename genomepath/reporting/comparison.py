"""Where the model stands beside every baseline and chance: the losses in words first, then all tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.metrics import CONSISTENCY_CUTOFFS, CUTOFFS
from genomepath.ml.results import ZERO_SHOT, ProtocolResult, without_conditions
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.charts import Interval, interval_chart
from genomepath.reporting.document import Block, Bullets, Figure, Heading, Paragraph, Table
from genomepath.reporting.losses import losses
from genomepath.reporting.material import ReportMaterial
from genomepath.reporting.wording import (
    PROTOCOL_TITLES,
    WAYS,
    difference_text,
    estimate_text,
    ordered_scorers,
    percent,
)

FEWEST_SEEDS = 5


def standing(material: ReportMaterial) -> list[Block]:
    """The first section: the main table, and in words each comparison that the model does not win."""
    evaluation = material.evaluation
    blocks: list[Block] = [
        Heading("Where the model stands"),
        Paragraph(
            "Percent over held-out pairs, with 95% intervals. TK→G ranks targets for a practice, G→TK ranks practices for "
            "a target; candidates are the whole catalogue, and other known links are left out of a ranking."
        ),
        *(main_table(result, evaluation.subject) for result in material.protocols),
        *losses(evaluation),
    ]
    if len(evaluation.seeds) < FEWEST_SEEDS:
        blocks.append(
            Paragraph(
                f"This evaluation repeats each protocol with {len(evaluation.seeds)} seed"
                f"{'' if len(evaluation.seeds) == 1 else 's'}; a report that a choice rests on wants {FEWEST_SEEDS}. The "
                "intervals cover the choice of practices (P3: targets), not that of seed and folds."
            )
        )
    return blocks


def main_table(result: ProtocolResult, subject: str) -> Table:
    """The numbers that answers are judged by, for every scorer and chance."""
    forward, backward = DIRECTIONS
    cutoffs = dict(zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True))
    header = [result.protocol]
    for way in DIRECTIONS:
        header += [f"{WAYS[way]} accuracy@{cutoffs[way]}", f"{WAYS[way]} MRR"]
    rows = []
    for name, row in ordered_scorers(result, subject):
        one, two = row.directions[forward], row.directions[backward]
        cells = (one.accuracy[str(cutoffs[forward])], one.mrr, two.accuracy[str(cutoffs[backward])], two.mrr)
        rows.append([name, *map(estimate_text, cells)])
    chance = ["chance"]
    for way in DIRECTIONS:
        chance += [percent(result.chance.accuracy[way][str(cutoffs[way])]), percent(result.chance.mrr[way])]
    return Table(PROTOCOL_TITLES[result.protocol], header, [*rows, chance], marked=subject)


def protocol_tables(material: ReportMaterial) -> list[Block]:
    """Every ranking metric of every scorer, and the paired differences, a part for each protocol."""
    subject = material.evaluation.subject
    blocks: list[Block] = [Heading("Results by protocol")]
    for result in material.protocols:
        blocks += [
            Heading(PROTOCOL_TITLES[result.protocol], 3),
            Paragraph(
                f"Unit: {result.unit}. {result.held_out} held out a seed. Drawn in the bootstrap: whole {result.cluster}s."
            ),
            *(_ranking_figure(result, way, subject) for way in DIRECTIONS),
            *(_ranking_table(result, way, subject) for way in DIRECTIONS),
            _consistency_table(result, subject),
            _difference_table(result),
        ]
        if result.notes:
            blocks.append(Bullets(result.notes))
    return blocks


def _ranking_figure(result: ProtocolResult, way: str, subject: str) -> Figure:
    """MRR of every scorer that is compared; the oracle is left to the tables."""
    rows = [(name, row.directions[way].mrr) for name, row in ordered_scorers(result, subject) if not row.oracle]
    drawn = [
        Interval(name, 100 * value, 100 * low, 100 * high, marked=name == subject)
        for name, (value, low, high) in ((name, cell.measured) for name, cell in rows if cell.value is not None)
    ]
    title = f"MRR {WAYS[way]} on {result.protocol}, percent with 95% intervals"
    best = max(drawn, key=lambda row: row.value)
    description = f"{title}. Highest: {best.name}, {best.value:.1f}. Chance: {percent(result.chance.mrr[way])}."
    svg = interval_chart(title, description, drawn, chance=100 * result.chance.mrr[way])
    table = Table(
        title,
        ["scorer", "MRR", "observations"],
        [[name, estimate_text(cell), str(cell.count)] for name, cell in rows],
        marked=subject,
    )
    return Figure(svg, description, table)


def _ranking_table(result: ProtocolResult, way: str, subject: str) -> Table:
    rows = [
        [
            name,
            *(estimate_text(row.directions[way].accuracy[str(k)]) for k in CUTOFFS),
            estimate_text(row.directions[way].mrr),
        ]
        for name, row in ordered_scorers(result, subject)
    ]
    chance = [percent(result.chance.accuracy[way][str(k)]) for k in CUTOFFS]
    return Table(
        f"{WAYS[way]} on {result.protocol}",
        [WAYS[way], *(f"accuracy@{k}" for k in CUTOFFS), "MRR"],
        [*rows, ["chance", *chance, percent(result.chance.mrr[way])]],
        marked=subject,
    )


def _consistency_table(result: ProtocolResult, subject: str) -> Table:
    return Table(
        f"Both directions on {result.protocol}",
        ["both directions", "consistency", "in both lists, of all"],
        [
            *(
                [name, estimate_text(row.consistency), estimate_text(row.consistency_joint)]
                for name, row in ordered_scorers(result, subject)
            ),
            ["chance", percent(result.chance.consistency), percent(result.chance.consistency_joint)],
        ],
        marked=subject,
    )


def _difference_table(result: ProtocolResult) -> Table:
    rows = [
        [name, *(cell for way in DIRECTIONS for cell in (difference_text(ways[way]), _outcome(ways[way])))]
        for name, ways in _compared(result)
    ]
    header: Sequence[str] = [
        "the model against",
        *(cell for way in DIRECTIONS for cell in (f"MRR {WAYS[way]}", f"outcome {WAYS[way]}")),
    ]
    return Table(f"Paired differences on {result.protocol}, percentage points: the model less the other", header, rows)


def _compared(result: ProtocolResult) -> list[tuple[str, Mapping[str, Estimate]]]:
    """Chance first, then each scorer, and last the cosine without condition fields, beside the model without them."""
    rows = [("chance", result.chance.differences), *result.differences.items()]
    rows.append((f"{without_conditions(ZERO_SHOT)}, both without them", result.bare_differences))
    return [row for row in rows if row[1]]


def _outcome(difference: Estimate) -> str:
    if difference.low is None or difference.high is None:
        return "not measured"
    if difference.high < 0:
        return "loses"
    return "wins" if difference.low > 0 else "can't be told apart"
