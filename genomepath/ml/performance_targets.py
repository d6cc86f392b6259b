"""The targets of the model and whether an evaluation meets them on a protocol, each with its number.

A target that names no protocol holds on each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.dose_metrics import RECALL_CUTOFFS
from genomepath.ml.metrics import CONSISTENCY_CUTOFFS
from genomepath.ml.results import ZERO_SHOT, EvaluationResult, ProtocolResult, ScorerResult, without_conditions
from genomepath.ml.set_metrics import sets_verdict
from genomepath.ml.snapshot import DIRECTIONS, DOSES

MARGIN = 0.05
"""By which the model is to stand above the memoriser, and without condition fields above the cosine without them."""
VALIDATION_LOSS = 0.15
"""The training is to reach a validation loss below it."""
_OURS: Mapping[str, tuple[int | None, int | None, int | None]] = {
    "P1": (90, 80, 90),
    "P2": (90, None, 90),
    "P3": (85, 77, None),
}
"""TK→G accuracy@5, G→TK accuracy@3 and consistency by protocol; None where no target of ours was set."""
PROTOCOLS: tuple[str, ...] = tuple(_OURS)
Level = tuple[str, bool | None]
"""A threshold in words, and whether it is met."""
_NO_TARGET: Level = ("none", None)
DOSE_CUTOFFS = dict(zip(DOSES, RECALL_CUTOFFS, strict=True))
"""Recall is judged at 5 for the low, 8 for the medium and 10 for the high dose."""


@dataclass(frozen=True)
class TargetOutcome:
    """One target: the number reached, and for each level (minimum, production, ours) its threshold and verdict.

    A level without a threshold has the verdict None; so has every level of a number that could not be measured.
    """

    name: str
    reached: str
    minimum: Level
    production: Level
    ours: Level

    @property
    def missed(self) -> tuple[str, ...]:
        """The levels that are not met, each with its threshold."""
        levels = {"minimum": self.minimum, "production": self.production, "ours": self.ours}
        return tuple(f"{name} {threshold}" for name, (threshold, met) in levels.items() if met is False)

    @property
    def cells(self) -> list[str]:
        """Name, number, and threshold with verdict of each level, as every table prints them."""
        return [
            self.name,
            self.reached,
            *(verdict_text(*level) for level in (self.minimum, self.production, self.ours)),
        ]


def target_outcomes(evaluation: EvaluationResult, protocol: str = "P1") -> tuple[TargetOutcome, ...]:
    """Every target that P1, P2 or P3 allows to judge; empty when the subject was not evaluated on it."""
    result = evaluation.protocols.get(protocol)
    subject = result.scorers.get(evaluation.subject) if result else None
    if result is None or subject is None:
        return ()
    forward, backward = (subject.directions[way] for way in DIRECTIONS)
    accuracy_forward, accuracy_backward, consistency = _OURS[protocol]
    return (
        _at_least("TK→G accuracy@5", forward.accuracy["5"], 70, 80, accuracy_forward),
        *_above_memoriser(result, subject),
        _at_least("G→TK accuracy@3", backward.accuracy["3"], 60, 70, accuracy_backward),
        _at_least("Bidirectional consistency", subject.consistency, 75, 85, consistency),
        _at_least("MRR TK→G", forward.mrr, 40, 40, 72),
        *(_calibration(name, row.ece) for name, row in (("ECE TK→G", forward), ("ECE G→TK", backward))),
        *_doses(result, subject),
        *_synergy(subject),
        *_sets(subject),
        *_without_conditions(result, evaluation.subject),
    )


def oracle_outcomes(evaluation: EvaluationResult, protocol: str) -> tuple[TargetOutcome, ...]:
    """What knowing every label reaches of the targets that a list of five, eight or ten answers bounds.

    Empty where the evaluation has no oracle.
    """
    result = evaluation.protocols[protocol]
    oracle = next((row for row in result.scorers.values() if row.oracle), None)
    return () if oracle is None else (*_doses(result, oracle), *_synergy(oracle))


def over_cosine_without_conditions(result: ProtocolResult, subject: str) -> tuple[str, bool] | None:
    """What subject and cosine reach without condition fields, and whether the subject is 5 points above in both ways.

    None where either was not evaluated.
    """
    model, cosine = (result.scorers.get(without_conditions(name)) for name in (subject, ZERO_SHOT))
    if model is None or cosine is None:
        return None
    texts, margins = [], []
    for name, way, k in zip(("TK→G", "G→TK"), DIRECTIONS, CONSISTENCY_CUTOFFS, strict=True):
        own, other = (row.directions[way].accuracy[str(k)].value for row in (model, cosine))
        if own is None or other is None:
            return None
        texts.append(f"{name} accuracy@{k} {100 * own:.1f} against {100 * other:.1f}")
        margins.append(own - other)
    return ", ".join(texts), min(margins) >= MARGIN


def estimate_text(estimate: Estimate | None) -> str:
    """Percent with the 95% interval, or that nothing was measured."""
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return "not measured"
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def verdict_text(threshold: str, met: bool | None) -> str:
    """A threshold with its verdict; a level that has none says so."""
    if (threshold, met) == _NO_TARGET:
        return threshold
    return f"{threshold}: " + {True: "met", False: "NOT MET", None: "not measured"}[met]


def _at_least(name: str, estimate: Estimate, minimum: int, production: int, ours: int | None) -> TargetOutcome:
    levels = [
        _NO_TARGET if goal is None else (f"≥ {goal}", _reaches(estimate.value, goal))
        for goal in (minimum, production, ours)
    ]
    return TargetOutcome(name, estimate_text(estimate), *levels)


def _reaches(value: float | None, percent: float) -> bool | None:
    return None if value is None else 100 * value >= percent


def _above_memoriser(result: ProtocolResult, subject: ScorerResult) -> list[TargetOutcome]:
    """Whether the model finds more than a look-up does, where a look-up can know no held-out link."""
    memoriser = result.scorers.get("memoriser")
    if result.protocol == "P1" or memoriser is None:
        return []
    own, floor = (row.directions[DIRECTIONS[0]].accuracy["5"].value for row in (subject, memoriser))
    name, goal = "TK→G accuracy@5 over the memoriser", "≥ 5 points more"
    if own is None or floor is None:
        return [TargetOutcome(name, "not measured", _NO_TARGET, _NO_TARGET, (goal, None))]
    reached = f"{100 * own:.1f} against {100 * floor:.1f}"
    return [TargetOutcome(name, reached, _NO_TARGET, _NO_TARGET, (goal, own >= floor + MARGIN))]


def _calibration(name: str, estimate: Estimate | None) -> TargetOutcome:
    production, ours = None, None
    if estimate is not None and estimate.value is not None and estimate.high is not None:
        production, ours = estimate.value < 0.10, estimate.value < 0.05 and estimate.high < 0.10
    return TargetOutcome(
        name, estimate_text(estimate), _NO_TARGET, ("< 10", production), ("< 5, interval below 10", ours)
    )


def _doses(result: ProtocolResult, subject: ScorerResult) -> list[TargetOutcome]:
    popularity = result.scorers.get("popularity")
    rows = []
    for dose, production in zip(DOSES, (75, 65, 55), strict=True):
        k = str(DOSE_CUTOFFS[dose])
        estimate = subject.dose_recall[dose][k]
        floor = popularity.dose_recall[dose][k].value if popularity else None
        ours = None
        if estimate.value is not None and floor is not None:
            ours = estimate.value >= 0.85 and estimate.value > floor
        beside = "" if floor is None else f" ({100 * floor:.1f})"
        rows.append(
            TargetOutcome(
                f"Dose {dose}, recall@{k}",
                estimate_text(estimate),
                _NO_TARGET,
                (f"≥ {production}", _reaches(estimate.value, production)),
                (f"≥ 85, above popularity{beside}", ours),
            )
        )
    return rows


def _synergy(subject: ScorerResult) -> list[TargetOutcome]:
    found = subject.synergy
    if found is None:
        return []
    numbers = [("recall", found.recall), ("F1", found.f1), ("macro-recall", found.macro_recall)]
    reached = ", ".join(f"{name} {'not measured' if x is None else f'{100 * x:.1f}'}" for name, x in numbers)
    both = None if found.f1 is None or found.macro_recall is None else min(found.f1, found.macro_recall)
    return [
        TargetOutcome(
            "Synergy recognition",
            reached,
            _NO_TARGET,
            ("recall ≥ 30", _reaches(found.recall, 30)),
            ("F1 and macro-recall ≥ 60", _reaches(both, 60)),
        )
    ]


def _sets(subject: ScorerResult) -> list[TargetOutcome]:
    rows = []
    for name, way in zip(("TK→G", "G→TK"), DIRECTIONS, strict=True):
        sets = subject.directions[way].sets
        verdict = None if sets is None else sets_verdict(sets)
        reached = estimate_text(None if sets is None else sets.coverage)
        goal = ("the interval contains 90", verdict)
        rows.append(TargetOutcome(f"Coverage of the 90% sets {name}", reached, _NO_TARGET, _NO_TARGET, goal))
    return rows


def _without_conditions(result: ProtocolResult, subject: str) -> list[TargetOutcome]:
    found = over_cosine_without_conditions(result, subject)
    if found is None:
        return []
    goal = ("≥ 5 points over the cosine", found[1])
    return [TargetOutcome("Without condition fields", found[0], _NO_TARGET, _NO_TARGET, goal)]
