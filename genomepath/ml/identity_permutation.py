"""A permutation test of the protocol: what a scorer finds when each practice and each gene has the identity of another.

On the training side the texts and links of every record stand under the name of another record, drawn at random; the
held-out links that it is judged on stay the true ones. All else is what every fold has: its cells, its marks of what is
unseen, its candidates, its checks. So nothing of the held-out links can be known, and whatever is found above chance
came by another way than the identity of a practice and a gene.

Why the ranks are exactly uniform then: let B be the permuted links of the training side, T the held-out links. A pair
of T that B claims is known, no candidate and not judged. To a query, the answer g and any competitor h are then two
records without a link in B. To exchange g and h leaves the law of the permutation as it is, and takes the scores of one
for those of the other. The answer is thus equally likely to have each rank among its n candidates. Unseen records (P2,
P3) change places among themselves. Where they are the candidates, they are ranked among themselves: the competitors
whose links are known are negatives all, as no known link of theirs is a candidate, and a scorer knows that of them. Among
the whole catalogue it may place the unseen ones anywhere between last and first: ``Among``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from genomepath.ml import metrics
from genomepath.ml.dataset import TextFeatures, TruthMatrix, Variant
from genomepath.ml.fold_scoring import AnyScorer, EvaluationInputs, held_out_items, score_fold
from genomepath.ml.ranks import filtered_ranks
from genomepath.ml.scores import BoolArray, Scores
from genomepath.ml.snapshot import DIRECTIONS, CorrelationRecord, Snapshot
from genomepath.ml.splits import Fold, protocol_folds, row_pairs, unseen_records

FloatVector = NDArray[np.float64]
IntVector = NDArray[np.intp]

NORMAL_95 = 1.96
"""Standard deviations around the mean that hold 95% of a normal distribution."""


@dataclass(frozen=True, eq=False)
class PermutedFold:
    """A fold whose training side has permuted identities, with the snapshot and the texts that it is cut from."""

    snapshot: Snapshot
    features: TextFeatures
    fold: Fold


class Among(Enum):
    """What a held-out link is ranked among where its answer is an unseen record (P2 and P3, one direction of each)."""

    UNSEEN = "the unseen records"
    CATALOGUE = "the whole catalogue"


@dataclass(frozen=True, eq=False)
class PermutedRanks:
    """Of one direction: rank, number of candidates, answer and fold of each held-out pair, [N] each."""

    ranks: FloatVector
    candidates: IntVector
    answers: IntVector
    folds: IntVector


@dataclass(frozen=True)
class ChanceInterval:
    """The mean that ranks by chance would have, and its standard deviation."""

    mean: float
    deviation: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Low and high end of what 95% of such means lie in."""
        half = NORMAL_95 * self.deviation
        return self.mean - half, self.mean + half

    def holds(self, value: float, deviations: float = NORMAL_95) -> bool:
        """Whether the value lies within so many standard deviations."""
        return abs(value - self.mean) <= deviations * self.deviation


def permuted_ranks(
    snapshot: Snapshot,
    features: TextFeatures,
    scorer: AnyScorer,
    protocol: str,
    *,
    seed: int,
    only_folds: tuple[int, ...] = (0, 1, 2, 3, 4),
) -> dict[Among, dict[str, PermutedRanks]]:
    """Ranks of the held-out links of the folds, each fold with a permutation of its own; by what unseen answers are ranked
    among, and by direction.

    Raises:
        LeakageError: see ``fold_scoring.score_fold``, which fits the scorer.
    """
    truth = TruthMatrix.from_snapshot(snapshot)
    parts = []
    for fold in protocol_folds(protocol, snapshot, truth, seed=seed):
        if fold.index in only_folds:
            rng = np.random.default_rng([seed, fold.index])
            parts.append(_ranks(scorer, permute_identities(snapshot, features, fold, rng)))
    return {among: {way: pooled([part[among][way] for part in parts]) for way in DIRECTIONS} for among in Among}


def pooled(parts: Sequence[PermutedRanks]) -> PermutedRanks:
    """Several folds, of one seed or of many, as one; each stays a fold of its own."""
    numbers = [np.unique(part.folds, return_inverse=True) for part in parts]
    before = np.cumsum([0, *(len(names) for names, _ in numbers)])
    return PermutedRanks(
        ranks=np.concatenate([part.ranks for part in parts]),
        candidates=np.concatenate([part.candidates for part in parts]),
        answers=np.concatenate([part.answers for part in parts]),
        folds=np.concatenate([start + index for start, (_, index) in zip(before[:-1], numbers, strict=True)]),
    )


def permute_identities(
    snapshot: Snapshot, features: TextFeatures, fold: Fold, rng: np.random.Generator
) -> PermutedFold:
    """The fold with texts and training links of each record under the name of another; its test links stay."""
    truth = TruthMatrix.from_snapshot(snapshot)
    unseen = unseen_records(fold, validation=False)
    practices = _new_places(len(truth.practices), unseen[0], rng)
    targets = _new_places(len(truth.targets), unseen[1], rng)
    training, validation = (
        _renamed(snapshot, truth, rows, practices, targets) for rows in (fold.training_rows, fold.validation_rows)
    )
    known = TruthMatrix.from_snapshot(replace(snapshot, correlations=(*training, *validation))).pairs
    held_out = [
        snapshot.correlations[row]
        for row, pair in zip(fold.test_rows, row_pairs(snapshot, truth, fold.test_rows), strict=True)
        if not known[tuple(pair)]
    ]
    test_cells = fold.test_cells & ~known
    first, second = len(training), len(training) + len(validation)
    return PermutedFold(
        snapshot=replace(snapshot, correlations=(*training, *validation, *held_out)),
        features=_permuted_features(features, practices, targets),
        fold=replace(
            fold,
            training_rows=tuple(range(first)),
            validation_rows=tuple(range(first, second)),
            test_rows=tuple(range(second, second + len(held_out))),
            validation_cells=_moved(fold.validation_cells, practices, targets) & ~test_cells,
            test_cells=test_cells,
            calibration_parts=(),
        ),
    )


def chance_interval(ranks: PermutedRanks, k: int | None = None) -> ChanceInterval:
    """Of accuracy@k, or of the MRR without ``k``, where every rank is uniform on 1..n.

    One rank has the mean m = min(k, n) / n and the variance m (1 - m), its reciprocal the mean m = H(n) / n and the
    variance H2(n) / n - m^2, H and H2 being the sums of 1/r and of 1/r^2 up to n. Two ranks of one fold are not independent:

    - of one answer, asked for by two queries: a scorer may order the candidates in the same way for every query, so that
      they are taken to be equal (correlation 1), which is the most that they can have in common;
    - of two answers: each of n - 1 competitors in a random order of all lies at the same place for both, hence
      P(r, s) = (1 + [r = s]) / (n (n + 1)), and every function of a rank has the correlation 1 / (n + 1).

    Folds have permutations of their own and are independent. The deviation of the mean follows from the sum of all
    covariances; by the first rule it is rather too large than too small.
    """
    counts = ranks.candidates
    if k is None:
        means = metrics.chance_reciprocal_ranks(counts)
        squares = np.array([np.mean(1.0 / np.arange(1, count + 1) ** 2) for count in counts])
        variances = squares - means**2
    else:
        means = metrics.chance_hits_at(counts, k)
        variances = means * (1 - means)
    deviations = np.sqrt(variances)
    total = 0.0
    for fold in np.unique(ranks.folds):
        own = ranks.folds == fold
        correlations = 1.0 / (np.minimum.outer(counts[own], counts[own]) + 1)
        correlations[np.equal.outer(ranks.answers[own], ranks.answers[own])] = 1.0
        total += float(deviations[own] @ correlations @ deviations[own])
    return ChanceInterval(float(means.mean()), float(np.sqrt(total)) / len(counts))


def _ranks(scorer: AnyScorer, permuted: PermutedFold) -> dict[Among, dict[str, PermutedRanks]]:
    """By direction, the ranks of the held-out links of one fold."""
    snapshot, fold = permuted.snapshot, permuted.fold
    truth = TruthMatrix.from_snapshot(snapshot)
    inputs = EvaluationInputs(snapshot, permuted.features, {"scorer": scorer}, frozenset())
    scores = score_fold(inputs, fold).by_scorer["scorer"].scores
    items = held_out_items(snapshot, truth, fold)
    practices, targets = unseen_records(fold, validation=False)
    nothing: frozenset[int] = frozenset()
    return {
        Among.UNSEEN: _both_ways(scores, truth.pairs, items, practices, targets),
        Among.CATALOGUE: _both_ways(scores, truth.pairs, items, nothing, nothing),
    }


def _both_ways(
    scores: Scores, known: BoolArray, items: IntVector, practices: frozenset[int], targets: frozenset[int]
) -> dict[str, PermutedRanks]:
    forward = filtered_ranks(scores.pair_scores, _no_candidates(known, targets), items)
    backward = filtered_ranks(scores.genomic_to_tk, _no_candidates(known.T, practices), items[:, ::-1])
    fold_number = np.zeros(len(items), dtype=np.intp)
    return {
        DIRECTIONS[0]: PermutedRanks(forward.ranks, forward.candidates, items[:, 1], fold_number),
        DIRECTIONS[1]: PermutedRanks(backward.ranks, backward.candidates, items[:, 0], fold_number),
    }


def _no_candidates(known: BoolArray, unseen: frozenset[int]) -> BoolArray:
    """Known links [A, B]; where answers are unseen, all cells of the seen ones as well."""
    seen = ~np.isin(np.arange(known.shape[1]), list(unseen)) if unseen else np.zeros(known.shape[1], dtype=bool)
    return known | seen


def _new_places(count: int, unseen: frozenset[int], rng: np.random.Generator) -> IntVector:
    """The place that each record's identity goes to, int [count]; unseen records change places among themselves."""
    places = np.arange(count)
    is_unseen = np.isin(places, list(unseen))
    for group in (np.flatnonzero(is_unseen), np.flatnonzero(~is_unseen)):
        places[group] = rng.permutation(group)
    return places


def _renamed(
    snapshot: Snapshot, truth: TruthMatrix, rows: tuple[int, ...], practices: IntVector, targets: IntVector
) -> tuple[CorrelationRecord, ...]:
    return tuple(
        replace(
            snapshot.correlations[row],
            practice=truth.practices[practices[practice]],
            target=truth.targets[targets[target]],
        )
        for row, (practice, target) in zip(rows, row_pairs(snapshot, truth, rows), strict=True)
    )


def _moved(cells: BoolArray, practices: IntVector, targets: IntVector) -> BoolArray:
    moved = np.zeros_like(cells)
    moved[np.ix_(practices, targets)] = cells
    return moved


def _permuted_features(features: TextFeatures, practices: IntVector, targets: IntVector) -> TextFeatures:
    """The texts of record i in row ``places[i]``."""
    fields = ("tokens", "slots", "mask", "text", "words", "condition_words")
    moved = {
        f"{side}_{field}": getattr(features, f"{side}_{field}")[np.argsort(places)]
        for side, places in (("practice", practices), ("target", targets))
        for field in fields
    }
    return replace(
        features,
        **moved,
        practice_variants=_moved_variants(features.practice_variants, practices),
        target_variants=_moved_variants(features.target_variants, targets),
    )


def _moved_variants(variants: tuple[Variant, ...], places: IntVector) -> tuple[Variant, ...]:
    return tuple(replace(variant, row=int(places[variant.row])) for variant in variants)
