"""The evaluation in words: Markdown that reads as plain text. It says where the model loses before anything else.

It speaks of documented links found again, never of effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.dose_metrics import CHANCE_CONCORDANCE, RECALL_CUTOFFS
from genomepath.ml.metrics import CONSISTENCY_CUTOFFS, CUTOFFS
from genomepath.ml.performance_targets import PROTOCOLS, estimate_text, target_outcomes
from genomepath.ml.results import (
    SYNERGY_RATES,
    AbstentionResult,
    EvaluationResult,
    ProtocolResult,
    ScorerResult,
    SetResult,
)
from genomepath.ml.snapshot import DIRECTIONS, DOSES

WAYS = {"tk_to_genomic": "TK→G", "genomic_to_tk": "G→TK"}
PROTOCOL_TITLES = {
    "P0": "P0: rows held out, pairs recur (memory)",
    "P1": "P1: pairs held out",
    "P2": "P2: unseen practices",
    "P3": "P3: unseen targets",
}


def render_report(evaluation: EvaluationResult) -> str:
    """The whole report as Markdown."""
    blocks = [
        "# GenomePath evaluation",
        f"{evaluation.practices} practices, {evaluation.targets} targets, {evaluation.correlations} correlation rows, "
        f"{evaluation.pairs} (practice, target) pairs; seeds {', '.join(map(str, evaluation.seeds))}; "
        f"{evaluation.folds} outer folds; data {evaluation.data_sha256[:12]}. Numbers are percent with 95% intervals.",
        "## Where the model stands",
        _bullets(verdicts(evaluation)),
    ]
    for result in evaluation.protocols.values():
        blocks += _protocol(result, evaluation.subject)
    blocks += _targets(evaluation)
    blocks += _abstention(evaluation)
    blocks += ["## What the numbers don't mean", _bullets(evaluation.notes)]
    blocks += ["## Leakage checks passed", _bullets(evaluation.leakage_checks)]
    return "\n\n".join(blocks) + "\n"


def verdicts(evaluation: EvaluationResult) -> list[str]:
    """One sentence a protocol, direction and other scorer: losses first, then what can't be told apart, then wins."""
    losses, below, undecided, wins = [], [], [], []
    for result in evaluation.protocols.values():
        for name, differences in result.differences.items():
            for way, difference in differences.items():
                own = result.scorers[evaluation.subject].directions[way].mrr
                other = result.scorers[name].directions[way].mrr
                sentence = (
                    f"{name} in MRR {WAYS[way]} on {result.protocol}: {_percent(own)} against {_percent(other)}, "
                    f"difference {estimate_text(difference)}."
                )
                low, high, value = difference.low or 0.0, difference.high or 0.0, difference.value or 0.0
                if high < 0:
                    losses.append(f"The {evaluation.subject} loses to {sentence}")
                elif value < 0:
                    below.append(f"The {evaluation.subject} scores below {sentence} The interval holds zero.")
                elif low > 0:
                    wins.append(f"The {evaluation.subject} beats {sentence}")
                else:
                    undecided.append(f"The {evaluation.subject} can't be told apart from {sentence}")
    if not (losses or below or undecided or wins):
        return ["No scorer was under judgement; the tables hold baselines alone."]
    losses += below + _accuracy_losses(evaluation)
    if not losses:
        losses = [f"The {evaluation.subject} is below no other scorer on the protocols run."]
    return [*losses, *undecided, *wins]


def _accuracy_losses(evaluation: EvaluationResult) -> list[str]:
    """A sentence for each accuracy that the answers are judged by (TK→G at 5, G→TK at 3) and another scorer exceeds."""
    sentences = []
    for result in evaluation.protocols.values():
        subject = result.scorers.get(evaluation.subject)
        for way, k in zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True):
            own = subject.directions[way].accuracy[str(k)] if subject else None
            higher = [
                f"{name} {_percent(row.directions[way].accuracy[str(k)])}"
                for name, row in result.scorers.items()
                if not row.oracle and own and (row.directions[way].accuracy[str(k)].value or 0.0) > (own.value or 0.0)
            ]
            if own and higher:
                sentences.append(
                    f"In accuracy@{k} {WAYS[way]} on {result.protocol} the {evaluation.subject} ({_percent(own)}) "
                    f"is below {', '.join(higher)}."
                )
    return sentences


def _protocol(result: ProtocolResult, subject: str) -> list[str]:
    order = sorted(result.scorers, key=lambda name: (result.scorers[name].oracle, name != subject))
    names = {name: f"{name} (oracle, not compared)" if result.scorers[name].oracle else name for name in order}
    rows = [(names[name], result.scorers[name]) for name in order]
    title = PROTOCOL_TITLES.get(result.protocol, result.protocol)
    blocks = [
        f"## {title}",
        f"Unit: {result.unit}. {result.held_out} held out a seed. Drawn in the bootstrap: {result.cluster}s.",
    ]
    for way in DIRECTIONS:
        header = [WAYS[way], *(f"accuracy@{k}" for k in CUTOFFS), "MRR"]
        body = [[name, *_ranking_cells(row, way)] for name, row in rows]
        chance = [f"{100 * result.chance.accuracy[way][str(k)]:.1f}" for k in CUTOFFS]
        body.append(["chance", *chance, f"{100 * result.chance.mrr[way]:.1f}"])
        blocks.append(_table(header, body))
    blocks.append(
        _table(
            ["both directions", "consistency", "in both lists, of all"],
            [
                *([name, estimate_text(row.consistency), estimate_text(row.consistency_joint)] for name, row in rows),
                ["chance", *map(_number, (result.chance.consistency, result.chance.consistency_joint))],
            ],
        )
    )
    if any(row.dose_recall for _, row in rows):
        blocks += [
            _calibration_table(rows),
            *_set_table(rows, result),
            *_dose_tables(rows, result),
            *_synergy_table(rows, result),
        ]
    return [*blocks, _bullets(result.notes)] if result.notes else blocks


def _ranking_cells(row: ScorerResult, way: str) -> list[str]:
    direction = row.directions[way]
    return [*(estimate_text(direction.accuracy[str(k)]) for k in CUTOFFS), estimate_text(direction.mrr)]


def _calibration_table(rows: Sequence[tuple[str, ScorerResult]]) -> str:
    header = ["calibration, held-out among top 5"]
    header += [f"{metric} {WAYS[way]}" for way in DIRECTIONS for metric in ("ECE", "Brier")]
    body = [
        [name, *(estimate_text(x) for way in DIRECTIONS for x in (row.directions[way].ece, row.directions[way].brier))]
        for name, row in rows
    ]
    return _table(header, body)


def _set_table(rows: Sequence[tuple[str, ScorerResult]], result: ProtocolResult) -> list[str]:
    """Coverage and size of the 90% sets; nothing for an evaluation that did not measure them."""
    header = ["90% sets"]
    header += [f"{metric} {WAYS[way]}" for way in DIRECTIONS for metric in ("coverage", "size")]
    body = []
    for name, row in rows:
        measured = [(row.directions[way].sets) for way in DIRECTIONS]
        if None not in measured:
            body.append(
                [name, *(cell for sets in measured if sets for cell in (estimate_text(sets.coverage), _size(sets)))]
            )
    if not body:
        return []
    random = [cell for way in DIRECTIONS for cell in ("90.0", f"{result.chance.set_size[way]:.1f}")]
    return [_table(header, [*body, ["at random", *random]])]


def _size(sets: SetResult) -> str:
    return "none" if sets.size.value is None else f"{sets.size.value:.1f} of {sets.candidates:.1f}"


def _dose_tables(rows: Sequence[tuple[str, ScorerResult]], result: ProtocolResult) -> Iterable[str]:
    for dose in DOSES:
        body = [[name, *(estimate_text(row.dose_recall[dose][str(k)]) for k in RECALL_CUTOFFS)] for name, row in rows]
        if dose in result.chance.dose_recall:
            body.append(["chance", *(f"{100 * result.chance.dose_recall[dose][str(k)]:.1f}" for k in RECALL_CUTOFFS)])
        yield _table([f"{dose} dose", *(f"recall@{k}" for k in RECALL_CUTOFFS)], body)
    body = [
        [name, estimate_text(row.dose_concordance), str(row.dose_concordance.clusters)]
        for name, row in rows
        if row.dose_concordance is not None
    ]
    if body:
        body.append(["chance", _number(CHANCE_CONCORDANCE), ""])
        yield _table(["dose concordance", "low before high-only", "practices"], body)


def _synergy_table(rows: Sequence[tuple[str, ScorerResult]], result: ProtocolResult) -> list[str]:
    found = [(name, row.synergy) for name, row in rows if row.synergy is not None]
    if not found:
        return []
    header = ["synergy", "instances", "recall", "precision", "F1", "macro-recall", "without"]
    body = [
        [name, str(x.instances), *map(_number, (x.recall, x.precision, x.f1, x.macro_recall)), x.commonest or "none"]
        for name, x in found
    ]
    if result.chance.synergy:
        body.append(["chance", "", *(_number(result.chance.synergy[name]) for name in SYNERGY_RATES), ""])
    return [_table(header, body)]


def _targets(evaluation: EvaluationResult) -> list[str]:
    header = ["target", "reached", "minimum", "production", "ours"]
    blocks = []
    for protocol in PROTOCOLS:
        if outcomes := target_outcomes(evaluation, protocol):
            blocks += [f"## Targets, on {protocol}", _table(header, [row.cells for row in outcomes])]
    return blocks


TEXT_KINDS = ("an unseen practice, all its fields", "an unseen practice, its title alone", "nothing of this field")
DESCRIPTION_KINDS = ("an unseen target, all its fields", "an unseen target, its symbol alone", "nothing of this field")


def abstention_rows(found: AbstentionResult, kinds: Sequence[str]) -> list[list[str]]:
    """What the text is, how many were judged, and the share without an answer by the fold's and the served threshold."""
    rates = (
        (found.chosen.whole, found.served.whole),
        (found.chosen.names, found.served.names),
        (found.chosen.far, found.served.far),
    )
    return [
        [name, str(chosen.count), estimate_text(chosen), estimate_text(served)]
        for name, (chosen, served) in zip(kinds, rates, strict=True)
    ]


def _abstention(evaluation: EvaluationResult) -> list[str]:
    blocks = []
    for title, found, kinds in (
        ("Texts that get no answer", evaluation.text_abstention, TEXT_KINDS),
        ("Descriptions that get no answer", evaluation.description_abstention, DESCRIPTION_KINDS),
    ):
        if found is not None:
            served = f"threshold in service, {found.served_threshold:.2f}"
            header = ["text about", "texts", "no answer, threshold of the fold", f"no answer, {served}"]
            blocks += [f"## {title}", _table(header, abstention_rows(found, kinds))]
    return blocks


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table with padded columns, so that it reads as plain text too."""
    rows = [list(header), *(list(row) for row in body)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _percent(estimate: Estimate) -> str:
    return "not measured" if estimate.value is None else f"{100 * estimate.value:.1f}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.1f}"
