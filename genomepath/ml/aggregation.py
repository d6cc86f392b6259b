"""Pools the folds of a protocol into the metrics of a scorer, with intervals over practices (P3: over targets)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomepath.ml import bootstrap, metrics
from genomepath.ml.bootstrap import Estimate
from genomepath.ml.confidence_curves import ConfidenceCurves
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.dose_metrics import (
    RECALL_CUTOFFS,
    ConcordanceTerms,
    DoseTerms,
    dose_concordance_terms,
    dose_recall_terms,
)
from genomepath.ml.fold_scoring import FoldOutcome, FoldScores, held_out_items, pair_ranks
from genomepath.ml.ranks import Ranks, list_ranks
from genomepath.ml.results import DirectionResult, ScorerResult, SynergyResult
from genomepath.ml.scores import FloatArray
from genomepath.ml.snapshot import DIRECTIONS, DOSES, Snapshot
from genomepath.ml.splits import pair_mask
from genomepath.ml.synergy_metrics import synergy_recognition

FloatVector = NDArray[np.float64]
IntVector = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ProtocolData:
    """The folds of one protocol (all seeds), with what they were cut from."""

    protocol: str
    snapshot: Snapshot
    truth: TruthMatrix
    outcomes: Sequence[FoldOutcome]

    @property
    def cluster_axis(self) -> int:
        """0: practices are drawn in the bootstrap; 1: targets (P3)."""
        return 1 if self.protocol == "P3" else 0


@dataclass(frozen=True, eq=False)
class PooledRanks:
    """Held-out items of all folds and seeds: int [N, 2], and by direction their ranks and candidate counts [N]."""

    items: IntVector
    ranks: dict[str, FloatVector]
    candidates: dict[str, IntVector]

    def of(self, way: str) -> Ranks:
        """The ranks of one direction."""
        return Ranks(self.ranks[way], self.candidates[way])


def pooled_ranks(data: ProtocolData, name: str) -> PooledRanks:
    """Ranks of one scorer over all folds, in the order of ``data.outcomes``."""
    parts = [
        pair_ranks(outcome.by_scorer[name].scores, data.truth, data.snapshot, outcome.fold) for outcome in data.outcomes
    ]
    items = [held_out_items(data.snapshot, data.truth, outcome.fold) for outcome in data.outcomes]
    return PooledRanks(
        items=np.concatenate(items),
        ranks={way: np.concatenate([part[index].ranks for part in parts]) for index, way in enumerate(DIRECTIONS)},
        candidates={
            way: np.concatenate([part[index].candidates for part in parts]) for index, way in enumerate(DIRECTIONS)
        },
    )


def scorer_result(data: ProtocolData, name: str, *, oracle: bool) -> ScorerResult:
    """All metrics that the protocol allows: P0, which measures memory, has ranking metrics alone."""
    pooled = pooled_ranks(data, name)
    clusters = pooled.items[:, data.cluster_axis]
    terms = metrics.consistency_terms(pooled.ranks["tk_to_genomic"], pooled.ranks["genomic_to_tk"])
    held_out_once = data.protocol != "P0"
    return ScorerResult(
        oracle=oracle,
        directions={way: _direction(data, name, way, pooled) for way in DIRECTIONS},
        consistency=bootstrap.ratio_estimate(2 * terms.both, terms.members, clusters),
        consistency_joint=bootstrap.mean_estimate(terms.both, clusters),
        dose_recall=_dose_recall(data, name) if held_out_once else {},
        # A comparison is one of two targets of a practice: where targets are drawn (P3) it belongs to no single one.
        dose_concordance=_dose_concordance(data, name) if data.protocol in {"P1", "P2"} else None,
        synergy=_synergy(data, name) if held_out_once and data.snapshot.synergies else None,
        fit_seconds=float(sum(outcome.by_scorer[name].seconds for outcome in data.outcomes)),
    )


def dose_terms(data: ProtocolData, name: str, dose: int) -> list[DoseTerms]:
    """Recall terms of one dose, one entry a fold."""
    return [
        dose_recall_terms(
            outcome.by_scorer[name].scores.tk_to_genomic[:, dose],
            data.truth.confidence[:, dose] > 0,
            pair_mask(data.snapshot, data.truth, outcome.fold.test_rows),
            seen_pairs(data, outcome),
        )
        for outcome in data.outcomes
    ]


def _direction(data: ProtocolData, name: str, way: str, pooled: PooledRanks) -> DirectionResult:
    clusters = pooled.items[:, data.cluster_axis]
    ranks = pooled.ranks[way]
    accuracy = {str(k): bootstrap.mean_estimate(metrics.hits_at(ranks, k), clusters) for k in metrics.CUTOFFS}
    mrr = bootstrap.mean_estimate(metrics.reciprocal_ranks(ranks), clusters)
    if data.protocol == "P0":
        return DirectionResult(accuracy=accuracy, mrr=mrr)
    served = _served(data, name, way)
    if not served.labels.size:
        return DirectionResult(accuracy=accuracy, mrr=mrr)
    return DirectionResult(
        accuracy=accuracy,
        mrr=mrr,
        ece=bootstrap.statistic_estimate(lambda drawn: _mean_ece(served, drawn), served.clusters, least=0.0),
        brier=bootstrap.mean_estimate(metrics.brier_terms(served.probabilities, served.labels), served.clusters),
        reliability=tuple(metrics.reliability_bins(served.probabilities, served.labels)),
    )


@dataclass(frozen=True, eq=False)
class _Served:
    """Held-out candidates among the served top 5, all folds and seeds; ``lists`` int [N] tells seeds and doses apart."""

    probabilities: FloatVector
    labels: FloatVector
    clusters: IntVector
    lists: IntVector


def _served(data: ProtocolData, name: str, way: str) -> _Served:
    parts = [
        _served_list(data, outcome, name, way, dose)
        for outcome in data.outcomes
        for dose in (range(len(DOSES)) if way == DIRECTIONS[0] else (0,))
    ]
    return _Served(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _served_list(
    data: ProtocolData, outcome: FoldOutcome, name: str, way: str, dose: int
) -> tuple[FloatVector, FloatVector, IntVector, IntVector]:
    """Of one fold, and from practice to target of one dose: what ``_Served`` holds."""
    fold_scores, candidates = outcome.by_scorer[name], ~seen_pairs(data, outcome)
    curves = _curves(fold_scores)
    if way == DIRECTIONS[0]:
        scores, known = fold_scores.scores.tk_to_genomic[:, dose], data.truth.confidence[:, dose] > 0
        ranks, confidences = list_ranks(scores, candidates), curves.tk_to_genomic[dose].probability(scores)
    else:
        scores, known = fold_scores.scores.genomic_to_tk.T, data.truth.pairs
        ranks, confidences = list_ranks(scores.T, candidates.T).T, curves.genomic_to_tk.probability(scores)
    chosen = (ranks <= metrics.SERVED_TOP) & outcome.fold.test_cells
    return (
        confidences[chosen],
        known[chosen].astype(np.float64),
        np.argwhere(chosen)[:, data.cluster_axis],
        np.full(int(chosen.sum()), len(DOSES) * outcome.fold.seed + dose),
    )


def _curves(fold_scores: FoldScores) -> ConfidenceCurves:
    if fold_scores.curves is None:
        raise ValueError("P0 measures memory: nothing is held out to fit confidences on")
    return fold_scores.curves


def _mean_ece(served: _Served, drawn: NDArray[np.int_]) -> float:
    """ECE of each seed and dose, averaged: they repeat the same pairs, so pooling them would understate the noise."""
    lists = served.lists[drawn]
    values = [
        metrics.expected_calibration_error(served.probabilities[part], served.labels[part])
        for part in (drawn[lists == one] for one in np.unique(lists))
    ]
    return float(np.mean(values))


def seen_pairs(data: ProtocolData, outcome: FoldOutcome) -> NDArray[np.bool_]:
    """The pairs of the training side of a fold, its validation part included, bool [P, G]."""
    fold = outcome.fold
    return pair_mask(data.snapshot, data.truth, fold.training_rows + fold.validation_rows)


def _dose_recall(data: ProtocolData, name: str) -> dict[str, dict[str, Estimate]]:
    result = {}
    for index, dose in enumerate(DOSES):
        parts = dose_terms(data, name, index)
        clusters = np.concatenate([part.pairs for part in parts])[:, data.cluster_axis]
        result[dose] = {
            str(k): bootstrap.mean_estimate(np.concatenate([part.found[k] for part in parts]), clusters)
            for k in RECALL_CUTOFFS
        }
    return result


def _dose_concordance(data: ProtocolData, name: str) -> Estimate:
    known = data.truth.confidence > 0
    parts: list[ConcordanceTerms] = [
        dose_concordance_terms(matrix[:, 0], known) for matrix in _out_of_fold(data, name).values()
    ]
    return bootstrap.ratio_estimate(
        np.concatenate([part.concordant for part in parts]),
        np.concatenate([part.comparisons for part in parts]),
        np.concatenate([part.practices for part in parts]),
    )


def synergy_pairs(data: ProtocolData) -> list[tuple[int, int]]:
    """The curated pairs as target indices."""
    symbols = list(data.truth.targets)
    return [(symbols.index(pair.target_a), symbols.index(pair.target_b)) for pair in data.snapshot.synergies]


def _synergy(data: ProtocolData, name: str) -> SynergyResult:
    found = [
        synergy_recognition(matrix.max(axis=1), data.truth.pairs, synergy_pairs(data), list(data.truth.targets))
        for matrix in _out_of_fold(data, name).values()
    ]
    return SynergyResult(
        instances=found[0].instances,
        recall=_mean([item.recall for item in found]),
        precision=_mean([item.precision for item in found]),
        f1=_mean([item.f1 for item in found]),
        macro_recall=_mean([item.macro_recall for item in found]),
        macro_pairs=found[0].macro_pairs,
        commonest=found[0].commonest,
    )


def _out_of_fold(data: ProtocolData, name: str) -> dict[int, FloatArray]:
    """By seed: calibrated TK->genomic probabilities [P, D, G], each cell from the fold that held it out."""
    result: dict[int, FloatArray] = {}
    for outcome in data.outcomes:
        fold_scores: FoldScores = outcome.by_scorer[name]
        matrix = result.setdefault(outcome.fold.seed, np.zeros(data.truth.confidence.shape))
        probabilities = _curves(fold_scores).of_targets(fold_scores.scores.tk_to_genomic)
        cells = np.broadcast_to(outcome.fold.test_cells[:, None, :], matrix.shape)
        matrix[cells] = probabilities[cells]
    return result


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None
