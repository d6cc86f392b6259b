"""The protocol runner: cuts the folds, asks every scorer, pools the metrics. The same answer for any worker count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from genomepath.ml import bootstrap, leakage, metrics
from genomepath.ml.aggregation import (
    PooledRanks,
    ProtocolData,
    dose_terms,
    pooled_ranks,
    scorer_result,
    synergy_pairs,
)
from genomepath.ml.bootstrap import Estimate
from genomepath.ml.dataset import TextFeatures, TruthMatrix
from genomepath.ml.dose_metrics import MINIMUM_PRACTICES, RECALL_CUTOFFS
from genomepath.ml.fold_scoring import AnyScorer, EvaluationInputs
from genomepath.ml.fold_workers import score_folds
from genomepath.ml.results import (
    ZERO_SHOT,
    ChanceResult,
    EvaluationResult,
    PairOutcome,
    ProtocolResult,
    ScorerResult,
    without_conditions,
)
from genomepath.ml.set_metrics import chance_sizes, with_sets
from genomepath.ml.snapshot import DIRECTIONS, DOSES, Snapshot
from genomepath.ml.splits import pair_mask, protocol_folds
from genomepath.ml.synergy_metrics import chance_recognition

Progress = Callable[[int, int, str], None]
"""Called after each finished fold with (finished, total, text)."""

SUBJECT = "model"
FEW_HELD_OUT = 100
_UNITS = {
    "P0": ("correlation row", "practice"),
    "P1": ("(practice, target) pair", "practice"),
    "P2": ("(practice, target) pair of an unseen practice", "practice"),
    "P3": ("(practice, target) pair of an unseen target", "target"),
}


def evaluate(
    snapshot: Snapshot,
    features: TextFeatures,
    scorers: Mapping[str, AnyScorer],
    *,
    protocols: Sequence[str] = ("P0", "P1"),
    seeds: Sequence[int] = (0,),
    folds: int = 5,
    oracles: frozenset[str] = frozenset(),
    subject: str = SUBJECT,
    on_progress: Progress | None = None,
    workers: int = 1,
) -> EvaluationResult:
    """Judge scorers by the protocol of MODEL.md.

    Args:
        scorers: by name; with ``workers`` > 1 they are pickled.
        oracles: names of scorers that are the rule by which labels were derived; printed, never compared.
        subject: the scorer under judgement; paired differences are taken against it where it is present.
        workers: processes (one thread each) that outer folds run in; works inside a Celery worker too.

    Raises:
        LeakageError: a leakage check failed; there is no result then.
        SplitError: too little data for a protocol.
        ValueError: no scorer, no seed, or an oracle that is no scorer.
    """
    if not scorers or not seeds or not oracles <= set(scorers):
        raise ValueError("an evaluation needs scorers and seeds, and every oracle must be one of the scorers")
    truth = TruthMatrix.from_snapshot(snapshot)
    plan = [
        fold
        for protocol in protocols
        for seed in seeds
        for fold in protocol_folds(protocol, snapshot, truth, seed=seed, folds=folds)
    ]
    inputs = EvaluationInputs(snapshot, features, dict(scorers), oracles)
    outcomes = []
    for finished, outcome in enumerate(score_folds(inputs, plan, workers), start=1):
        outcomes.append(outcome)
        if on_progress is not None:
            fold = outcome.fold
            on_progress(finished, len(plan), f"{fold.protocol} seed {fold.seed} fold {fold.index + 1}")
    results = {}
    for protocol in protocols:
        own = [outcome for outcome in outcomes if outcome.fold.protocol == protocol]
        results[protocol] = _protocol_result(ProtocolData(protocol, snapshot, truth, own), inputs, subject)
    return EvaluationResult(
        data_sha256=snapshot.data_sha256,
        subject=subject,
        seeds=tuple(seeds),
        folds=folds,
        practices=len(truth.practices),
        targets=len(truth.targets),
        correlations=len(snapshot.correlations),
        pairs=int(truth.pairs.sum()),
        protocols=results,
        leakage_checks=leakage.CHECKS,
        notes=_notes(truth, oracles),
    )


def _protocol_result(data: ProtocolData, inputs: EvaluationInputs, subject: str) -> ProtocolResult:
    names = list(inputs.scorers)
    scorers = {name: with_sets(data, name, scorer_result(data, name, oracle=name in inputs.oracles)) for name in names}
    pooled = {name: pooled_ranks(data, name) for name in names}
    if data.protocol != "P0":
        for name in set(names) - inputs.oracles:
            leakage.check_not_the_answer([pooled[name].of(way) for way in DIRECTIONS], name)
    unit, cluster = _UNITS[data.protocol]
    reference = pooled[names[0]]
    judged = subject in pooled
    return ProtocolResult(
        protocol=data.protocol,
        unit=unit,
        cluster=cluster,
        held_out=len(reference.items) // len({outcome.fold.seed for outcome in data.outcomes}),
        scorers=scorers,
        chance=replace(
            _chance(data, names[0], reference),
            set_size=chance_sizes(scorers[names[0]]),
            differences=_over_chance(data, pooled[subject]) if judged else {},
        ),
        differences=_differences(data, pooled, subject, inputs.oracles) if judged else {},
        outcomes=_pair_outcomes(data.truth, pooled[subject]) if judged else (),
        notes=_protocol_notes(data, scorers, reference),
        bare_differences=_over_bare_cosine(data, pooled, subject),
    )


def _differences(
    data: ProtocolData, pooled: Mapping[str, PooledRanks], subject: str, oracles: frozenset[str]
) -> dict[str, dict[str, Estimate]]:
    """Paired MRR differences subject - other by direction; the oracle is compared with nothing."""
    return {
        name: _paired(data, pooled[subject], other)
        for name, other in pooled.items()
        if name != subject and name not in oracles
    }


def _paired(data: ProtocolData, one: PooledRanks, other: PooledRanks) -> dict[str, Estimate]:
    clusters = one.items[:, data.cluster_axis]
    return {
        way: bootstrap.paired_difference(
            metrics.reciprocal_ranks(one.ranks[way]), metrics.reciprocal_ranks(other.ranks[way]), clusters
        )
        for way in DIRECTIONS
    }


def _over_bare_cosine(data: ProtocolData, pooled: Mapping[str, PooledRanks], subject: str) -> dict[str, Estimate]:
    names = without_conditions(subject), without_conditions(ZERO_SHOT)
    return _paired(data, *(pooled[name] for name in names)) if all(name in pooled for name in names) else {}


def _over_chance(data: ProtocolData, own: PooledRanks) -> dict[str, Estimate]:
    """Each rank less what a random order of its candidates is expected to have."""
    clusters = own.items[:, data.cluster_axis]
    return {
        way: bootstrap.paired_difference(
            metrics.reciprocal_ranks(own.ranks[way]), metrics.chance_reciprocal_ranks(own.candidates[way]), clusters
        )
        for way in DIRECTIONS
    }


def _pair_outcomes(truth: TruthMatrix, pooled: PooledRanks) -> tuple[PairOutcome, ...]:
    cells, index = np.unique(pooled.items, axis=0, return_inverse=True)
    counts = np.bincount(index.ravel())
    means = {
        way: np.bincount(index.ravel(), weights=metrics.reciprocal_ranks(pooled.ranks[way])) / counts
        for way in DIRECTIONS
    }
    return tuple(
        PairOutcome(truth.practices[practice], truth.targets[target], *(float(means[way][row]) for way in DIRECTIONS))
        for row, (practice, target) in enumerate(cells)
    )


def _chance(data: ProtocolData, name: str, pooled: PooledRanks) -> ChanceResult:
    recall: dict[str, dict[str, float]] = {}
    if data.protocol != "P0":
        for index, dose in enumerate(DOSES):
            parts = dose_terms(data, name, index)
            if any(len(part.pairs) for part in parts):
                recall[dose] = {
                    str(k): float(np.concatenate([part.chance[k] for part in parts]).mean()) for k in RECALL_CUTOFFS
                }
    terms = metrics.chance_consistency(*(pooled.candidates[way] for way in DIRECTIONS))
    return ChanceResult(
        accuracy={
            way: {str(k): float(metrics.chance_hits_at(pooled.candidates[way], k).mean()) for k in metrics.CUTOFFS}
            for way in DIRECTIONS
        },
        mrr={way: float(metrics.chance_reciprocal_ranks(pooled.candidates[way]).mean()) for way in DIRECTIONS},
        dose_recall=recall,
        consistency=float(2 * terms.both.sum() / terms.members.sum()),
        consistency_joint=float(terms.both.mean()),
        synergy=chance_recognition(data.truth.pairs, synergy_pairs(data)) if data.protocol != "P0" else {},
    )


def _protocol_notes(data: ProtocolData, scorers: Mapping[str, ScorerResult], pooled: PooledRanks) -> tuple[str, ...]:
    notes = []
    if data.protocol == "P0":
        shares = []
        for outcome in data.outcomes:
            trained = pair_mask(data.snapshot, data.truth, outcome.fold.training_rows + outcome.fold.validation_rows)
            cells = pair_mask(data.snapshot, data.truth, outcome.fold.test_rows)
            shares.append(trained[cells].mean())
        notes.append(
            f"P0 measures memory: {100 * float(np.mean(shares)):.0f}% of its held-out pairs also stand in training "
            "at another dose or in the other direction. Compare with the memoriser."
        )
    if data.protocol in {"P2", "P3"}:
        record = _UNITS[data.protocol][1]
        notes.append(
            f"A held-out {record} is marked as new, whether it has links or not, and the model scores it as one outside the "
            "catalogue. The others are known in full: what is learned of them as competitors counts too."
        )
    if len(pooled.items) < FEW_HELD_OUT:
        notes.append(f"Only {len(pooled.items)} held-out items: the intervals are wide, read them and not the numbers.")
    return (*notes, *_dose_notes(data.truth, next(iter(scorers.values()))))


def _dose_notes(truth: TruthMatrix, scorer: ScorerResult) -> list[str]:
    """What the data can't tell about doses."""
    known, concordance = truth.confidence > 0, scorer.dose_concordance
    if concordance is None:
        return []
    notes = []
    if (known == known[:, :1]).all():
        notes.append(
            "Every practice has the same targets at each of its doses: the dose rows repeat one number and say nothing "
            "about telling doses apart."
        )
    if concordance.clusters < MINIMUM_PRACTICES:
        notes.append(
            "Dose concordance can't be told from this data: the number of practices with high-only targets is "
            f"{concordance.clusters}."
        )
    return notes


def _notes(truth: TruthMatrix, oracles: frozenset[str]) -> tuple[str, ...]:
    notes = [
        "The labels say which links are documented or were imported, not biology: a high score means that such links are "
        "found again, never that a practice has an effect.",
        "A pair that is not in the data counts as negative, although it may only be undocumented.",
        f"The catalogue holds {len(truth.practices)} practices and {len(truth.targets)} targets; the numbers say "
        "nothing of practices and targets outside it.",
        "Intervals are 95%, by bootstrap over whole practices (P3: targets).",
    ]
    if oracles:
        notes.append("The labels were derived by a rule; its row is the oracle, outside every comparison and the gate.")
    return tuple(notes)
