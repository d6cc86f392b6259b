"""Ranking and calibration metrics: plain arrays in, plain numbers out; intervals are the work of ``bootstrap``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

CUTOFFS: tuple[int, ...] = (1, 3, 5, 10)
CONSISTENCY_CUTOFFS: tuple[int, int] = (5, 3)
SERVED_TOP = 5
"""Calibration is judged where it is read: among the five best answers."""
ECE_BINS = 10

FloatVector = NDArray[np.float64]


def hits_at(ranks: ArrayLike, k: int) -> FloatVector:
    """1.0 where the rank is at most k: accuracy@k is their mean over held-out pairs."""
    return (np.asarray(ranks, dtype=np.float64) <= k).astype(np.float64)


def reciprocal_ranks(ranks: ArrayLike) -> FloatVector:
    """1 / rank: MRR is their mean over held-out pairs."""
    return 1.0 / np.asarray(ranks, dtype=np.float64)


def chance_hits_at(candidates: ArrayLike, k: int) -> FloatVector:
    """Expected hit of a scorer that orders n candidates at random: min(k, n) / n."""
    counts = np.asarray(candidates, dtype=np.float64)
    return np.minimum(k, counts) / counts


def chance_reciprocal_ranks(candidates: ArrayLike) -> FloatVector:
    """Expected 1 / rank of a random order of n candidates: H(n) / n with the harmonic number H."""
    counts = np.asarray(candidates, dtype=np.intp)
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, int(counts.max(initial=0)) + 1))])
    return np.asarray(harmonic[counts] / counts)


@dataclass(frozen=True)
class ConsistencyTerms:
    """Per held-out pair: in both top lists, and how many of the two lists it is in (0, 1 or 2)."""

    both: FloatVector
    members: FloatVector


def consistency_terms(tk_to_genomic_ranks: ArrayLike, genomic_to_tk_ranks: ArrayLike) -> ConsistencyTerms:
    """Bidirectional consistency 2|A n B| / (|A| + |B|) is sum(2 both) / sum(members); |A n B| / N is mean(both).

    A holds the pairs with a TK->genomic rank of at most 5, B those with a genomic->TK rank of at most 3.
    """
    first, second = CONSISTENCY_CUTOFFS
    in_a, in_b = hits_at(tk_to_genomic_ranks, first), hits_at(genomic_to_tk_ranks, second)
    return ConsistencyTerms(both=in_a * in_b, members=in_a + in_b)


def chance_consistency(tk_to_genomic_candidates: ArrayLike, genomic_to_tk_candidates: ArrayLike) -> ConsistencyTerms:
    """Expected terms of two random orders that know nothing of each other, by how many candidates each pair had."""
    first, second = CONSISTENCY_CUTOFFS
    in_a = chance_hits_at(tk_to_genomic_candidates, first)
    in_b = chance_hits_at(genomic_to_tk_candidates, second)
    return ConsistencyTerms(both=in_a * in_b, members=in_a + in_b)


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of a reliability diagram."""

    mean_probability: float
    observed_rate: float
    count: int


def reliability_bins(probabilities: ArrayLike, labels: ArrayLike, bins: int = ECE_BINS) -> list[ReliabilityBin]:
    """Equal-mass bins: sorted by probability, cut into ``bins`` parts of nearly equal size; equal
    probabilities share a part, empty parts are left out.
    """
    counts, confidence, rates = _bin_means(probabilities, labels, bins)
    return [ReliabilityBin(float(p), float(y), int(n)) for n, p, y in zip(counts, confidence, rates, strict=True)]


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = ECE_BINS, *, debiased: bool = True
) -> float:
    """ECE over equal-mass bins: the weighted mean of |mean probability - observed rate|.

    On few points even a calibrated model scores high, because the observed rate of a bin is noisy. The debiased form
    takes off the expected effect of that noise, as in Kumar, Liang and Ma, "Verified uncertainty calibration" (2019),
    with the mean of the folded normal in closed form in place of sampling. Never below 0.

    Raises:
        ValueError: no points.
    """
    counts, confidence, rates = _bin_means(probabilities, labels, bins)
    if not counts.size:
        raise ValueError("ECE of no points is undefined")
    gaps = np.abs(confidence - rates)
    weights = counts / counts.sum()
    plain = float(weights @ gaps)
    if not debiased:
        return plain
    noisy = float(weights @ _folded_normal_mean(gaps, np.sqrt(rates * (1 - rates) / counts)))
    return max(0.0, 2 * plain - noisy)


def brier_terms(probabilities: ArrayLike, labels: ArrayLike) -> FloatVector:
    """(probability - label)^2: the Brier score is their mean."""
    return (np.asarray(probabilities, dtype=np.float64) - np.asarray(labels, dtype=np.float64)) ** 2


def _bin_means(probabilities: ArrayLike, labels: ArrayLike, bins: int) -> tuple[FloatVector, FloatVector, FloatVector]:
    """Size, mean probability and mean label of each equal-mass bin that holds a point.

    Equal probabilities share a bin: cut by the order that they came in, a constant that is right would have an error.
    """
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if not p.size:
        return np.empty(0), np.empty(0), np.empty(0)
    order = np.argsort(p, kind="stable")
    cuts = np.arange(bins) * p.size // bins
    starts = np.unique(np.searchsorted(p[order], p[order][cuts], side="left"))
    counts = np.diff(np.append(starts, p.size)).astype(np.float64)
    return counts, np.add.reduceat(p[order], starts) / counts, np.add.reduceat(y[order], starts) / counts


def _folded_normal_mean(mean: FloatVector, deviation: FloatVector) -> FloatVector:
    """E|X| for X ~ N(mean, deviation^2); |mean| where the deviation is 0."""
    safe = np.where(deviation > 0, deviation, 1.0)
    erf = np.array([math.erf(ratio) for ratio in mean / (safe * math.sqrt(2))])
    value = safe * math.sqrt(2 / math.pi) * np.exp(-(mean**2) / (2 * safe**2)) + mean * erf
    return np.where(deviation > 0, value, np.abs(mean))
