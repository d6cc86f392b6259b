"""In words, every comparison that the model does not win: nobody has to find a loss in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genomepath.ml.metrics import CONSISTENCY_CUTOFFS, CUTOFFS
from genomepath.ml.performance_targets import DOSE_CUTOFFS
from genomepath.ml.report import verdicts
from genomepath.ml.results import EvaluationResult, ScorerResult
from genomepath.ml.snapshot import DIRECTIONS
from genomepath.reporting.document import Block, Bullets, Heading, Paragraph
from genomepath.reporting.wording import WAYS, percent


def losses(evaluation: EvaluationResult) -> list[Block]:
    """What the model loses, and what can't be told apart; then the further metrics in which another stands better."""
    further = further_losses(evaluation)
    return [
        Heading("Where it loses", 3),
        Paragraph("In MRR, and in accuracy at the number of answers that it is judged by:"),
        Bullets([sentence for sentence in verdicts(evaluation) if " beats " not in sentence]),
        Paragraph("In every other metric, by the bare number, without regard to intervals:"),
        Bullets(further or ["No other scorer stands better."]),
    ]


def further_losses(evaluation: EvaluationResult) -> list[str]:
    """A sentence for each further metric and protocol in which a scorer that is compared stands better."""
    sentences = []
    for result in evaluation.protocols.values():
        subject = result.scorers[evaluation.subject]
        others = {
            name: dict(_numbers(row))
            for name, row in result.scorers.items()
            if not row.oracle and name != evaluation.subject
        }
        for metric, own in _numbers(subject):
            better = [
                f"{name} {percent(found[metric])}" for name, found in others.items() if _is_better(metric, found, own)
            ]
            if better:
                sentences.append(f"{metric} on {result.protocol}: {percent(own)} against {', '.join(better)}.")
    return sentences


def _is_better(metric: str, found: Mapping[str, float], own: float) -> bool:
    if metric not in found:
        return False
    return found[metric] < own if metric.startswith(("ECE", "Brier")) else found[metric] > own


def _numbers(row: ScorerResult) -> Iterator[tuple[str, float]]:
    """(Metric, value) of what was measured, apart from MRR and the accuracies that ``verdicts`` speaks of."""
    for way, judged in zip(DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True):
        cells = row.directions[way]
        for k in CUTOFFS:
            value = cells.accuracy[str(k)].value
            if k != judged and value is not None:
                yield f"accuracy@{k} {WAYS[way]}", value
        for name, estimate in (("ECE", cells.ece), ("Brier", cells.brier)):
            if estimate is not None and estimate.value is not None:
                yield f"{name} {WAYS[way]}", estimate.value
    if row.consistency.value is not None:
        yield "consistency", row.consistency.value
    for dose, k in DOSE_CUTOFFS.items():
        recall = row.dose_recall[dose][str(k)].value if dose in row.dose_recall else None
        if recall is not None:
            yield f"recall@{k} at the {dose} dose", recall
    if row.synergy is not None:
        for name, share in (("F1", row.synergy.f1), ("macro-recall", row.synergy.macro_recall)):
            if share is not None:
                yield f"synergy {name}", share
