"""Dosage-specific accuracy: recall at a dose, and whether low-dose targets come before high-only targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomepath.ml import metrics
from genomepath.ml.ranks import list_ranks
from genomepath.ml.scores import BoolArray, FloatArray

RECALL_CUTOFFS: tuple[int, ...] = (5, 8, 10)
MINIMUM_PRACTICES = 5
"""With fewer practices that have comparable targets, dose concordance can't tell a good scorer from a poor one."""

CHANCE_CONCORDANCE = 0.5

FloatVector = NDArray[np.float64]
IntVector = NDArray[np.intp]


@dataclass(frozen=True)
class DoseTerms:
    """One entry a pair held out at the dose, int [N, 2]: 1.0 where it is in the top k of its practice, and by chance."""

    pairs: IntVector
    found: dict[int, FloatVector]
    chance: dict[int, FloatVector]


def dose_recall_terms(
    scores: FloatArray, known_at_dose: BoolArray, test_pairs: BoolArray, seen_pairs: BoolArray
) -> DoseTerms:
    """Terms of recall@k at one dose, which is the mean of ``found``.

    The relevant set of a practice x dose are its held-out targets at that dose. Targets that the scorer has seen with
    the practice (at any dose) are no candidates; all others are, also those held out at another dose only.

    Args:
        scores: [P, G] at the dose.
        known_at_dose: bool [P, G].
        test_pairs, seen_pairs: bool [P, G], any dose.
    """
    relevant = known_at_dose & test_pairs
    candidates = ~seen_pairs
    ranks = list_ranks(scores, candidates)
    pool = candidates.sum(axis=1)[np.nonzero(relevant)[0]]
    return DoseTerms(
        pairs=np.argwhere(relevant),
        found={k: metrics.hits_at(ranks[relevant], k) for k in RECALL_CUTOFFS},
        chance={k: metrics.chance_hits_at(pool, k) for k in RECALL_CUTOFFS},
    )


@dataclass(frozen=True)
class ConcordanceTerms:
    """One entry a practice with comparable targets: comparisons, and how many are in order (tie: one half)."""

    practices: IntVector
    comparisons: FloatVector
    concordant: FloatVector


def dose_concordance_terms(low_dose_probabilities: FloatArray, known: BoolArray) -> ConcordanceTerms:
    """Terms of P(score of a low-dose target > score of a high-only target), both scored at the low dose.

    Args:
        low_dose_probabilities: [P, G] out-of-fold calibrated probabilities at the low dose (each pair scored by a model
            that did not see it), so that pairs of different folds can be compared.
        known: bool [P, 3, G], doses low, medium, high.
    """
    low = known[:, 0]
    high_only = known[:, 2] & ~known[:, 0] & ~known[:, 1]
    practices = np.flatnonzero(low.any(axis=1) & high_only.any(axis=1))
    comparisons, concordant = [], []
    for practice in practices:
        first = low_dose_probabilities[practice, low[practice]][:, None]
        second = low_dose_probabilities[practice, high_only[practice]][None, :]
        comparisons.append(float(first.size * second.size))
        concordant.append(float((first > second).sum() + 0.5 * (first == second).sum()))
    return ConcordanceTerms(practices, np.array(comparisons), np.array(concordant))
