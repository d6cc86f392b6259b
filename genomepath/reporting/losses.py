"""In words, every comparison that the model does not win: nobody has to find a loss in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.conformal import SET_LEVEL
from genomepath.ml.metrics import CONSISTENCY_CUTOFFS
from genomepath.ml.report import verdicts
from genomepath.ml.results import DirectionResult, EvaluationResult, ProtocolResult, ScorerResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Bullets, Heading, Paragraph
from genomepath.reporting.wording import WAYS, percent


@dataclass(frozen=True)
class _Reading:
    """What a scorer reached in a metric: the number as printed, and how far it is from the best; less is better."""

    metric: str
    printed: str
    distance: float


def losses(evaluation: EvaluationResult) -> list[Block]:
    """What the model loses, and what can't be told apart; then the further metrics in which another stands better."""
    further = further_losses(evaluation)
    return [
        Heading("Where it loses", 3),
        Paragraph("In MRR, and in accuracy at the number of answers that it is judged by:"),
        Bullets([sentence for sentence in verdicts(evaluation) if " beats " not in sentence]),
        Paragraph(
            "In every other metric of the tables, by the bare number, without regard to intervals: accuracy at other "
            "numbers of answers, calibration, consistency, recall by dose, dose concordance, synergy, coverage by its "
            f"distance from {100 * SET_LEVEL:.0f}, and the size of sets, against those alone that cover no less:"
        ),
        Bullets(further or ["No other scorer stands better."]),
    ]


def further_losses(evaluation: EvaluationResult) -> list[str]:
    """A sentence for each further metric and protocol in which a scorer that is compared stands better."""
    sentences = []
    for result in evaluation.protocols.values():
        compared = {name: row for name, row in result.scorers.items() if not row.oracle and name != evaluation.subject}
        others = {name: {reading.metric: reading for reading in _readings(row)} for name, row in compared.items()}
        for own in _readings(result.scorers[evaluation.subject]):
            better = [
                f"{name} {found[own.metric].printed}"
                for name, found in others.items()
                if own.metric in found and found[own.metric].distance < own.distance
            ]
            if better:
                sentences.append(f"{own.metric} on {result.protocol}: {own.printed} against {', '.join(better)}.")
        sentences += _smaller_sets(result, result.scorers[evaluation.subject], compared)
    return sentences


def _readings(row: ScorerResult) -> Iterator[_Reading]:
    """Of what was measured, apart from MRR and the accuracies that ``verdicts`` speaks of, and from the size of sets."""
    for way, judged in zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True):
        yield from _readings_of_direction(row.directions[way], WAYS[way], judged)
    yield from _higher("consistency", row.consistency)
    yield from _higher("in both lists, of all", row.consistency_joint)
    for dose, cells in row.dose_recall.items():
        for k, estimate in cells.items():
            yield from _higher(f"recall@{k} at the {dose} dose", estimate)
    yield from _higher("dose concordance", row.dose_concordance)
    if row.synergy is not None:
        found = row.synergy
        shares = {
            "recall": found.recall,
            "precision": found.precision,
            "F1": found.f1,
            "macro-recall": found.macro_recall,
        }
        for name, share in shares.items():
            if share is not None:
                yield _Reading(f"synergy {name}", percent(share), -share)


def _readings_of_direction(cells: DirectionResult, way: str, judged: int) -> Iterator[_Reading]:
    for k, estimate in cells.accuracy.items():
        if k != str(judged):
            yield from _higher(f"accuracy@{k} {way}", estimate)
    for name, error in (("ECE", cells.ece), ("Brier", cells.brier)):
        if error is not None and error.value is not None:
            yield _Reading(f"{name} {way}", percent(error.value), error.value)
    coverage = cells.sets.coverage.value if cells.sets is not None else None
    if coverage is not None:
        yield _Reading(f"coverage of the 90% sets {way}", percent(coverage), abs(coverage - SET_LEVEL))


def _higher(metric: str, estimate: Estimate | None) -> Iterator[_Reading]:
    if estimate is not None and estimate.value is not None:
        yield _Reading(metric, percent(estimate.value), -estimate.value)


def _smaller_sets(result: ProtocolResult, subject: ScorerResult, others: Mapping[str, ScorerResult]) -> list[str]:
    """A smaller set that covers less is no better: only those that cover at least as much are spoken of."""
    sentences = []
    for way in DIRECTIONS:
        own = _set_numbers(subject, way)
        if own is None:
            continue
        better = [
            f"{name} {found[1]:.1f}"
            for name, row in others.items()
            if (found := _set_numbers(row, way)) is not None and found[0] >= own[0] and found[1] < own[1]
        ]
        if better:
            title = f"size of the 90% sets {WAYS[way]} on {result.protocol}"
            sentences.append(f"{title}: {own[1]:.1f} against {', '.join(better)}.")
    return sentences


def _set_numbers(row: ScorerResult, way: str) -> tuple[float, float] | None:
    """Coverage and size, where both were measured."""
    sets = row.directions[way].sets
    if sets is None or sets.coverage.value is None or sets.size.value is None:
        return None
    return sets.coverage.value, sets.size.value
