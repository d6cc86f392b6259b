"""95% percentile intervals by cluster bootstrap (Efron and Tibshirani 1993): whole practices are drawn, never pairs.

Pairs of one practice share its text and stand or fall together; drawing pairs would make intervals far too narrow.
For unseen targets (P3) the cluster is the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 1000
SEED = 20_240_917
"""Fixed, so that a report can be reproduced and two scorers are drawn with the same resamples."""

FloatVector = NDArray[np.float64]
IntVector = NDArray[np.int_]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval; all three are None where there is nothing to measure.

    ``count`` is the number of observations, ``clusters`` the number of practices (or targets) drawn from.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int
    clusters: int

    @property
    def measured(self) -> tuple[float, float, float]:
        """Value, lower and upper end.

        Raises:
            ValueError: nothing was measured.
        """
        if self.value is None or self.low is None or self.high is None:
            raise ValueError("nothing was measured")
        return self.value, self.low, self.high

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> Estimate:
        """Read what ``to_dict`` wrote."""
        return cls(**payload)


def ratio_estimate(numerators: ArrayLike, denominators: ArrayLike, clusters: ArrayLike) -> Estimate:
    """sum(numerators) / sum(denominators) with its interval; a mean is the case of denominators 1.

    Resamples whose denominator is 0 say nothing and are left out.
    """
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    if top.size == 0 or bottom.sum() == 0:
        return Estimate(None, None, None, int(top.size), len(names))
    draws = _draws(len(names))
    top_sums = draws @ np.bincount(index, weights=top, minlength=len(names))
    bottom_sums = draws @ np.bincount(index, weights=bottom, minlength=len(names))
    usable = bottom_sums > 0
    low, high = _percentiles(top_sums[usable] / bottom_sums[usable])
    return Estimate(float(top.sum() / bottom.sum()), low, high, int(top.size), len(names))


def mean_estimate(values: ArrayLike, clusters: ArrayLike) -> Estimate:
    """The mean with its interval."""
    array = np.asarray(values, dtype=np.float64)
    return ratio_estimate(array, np.ones_like(array), clusters)


def paired_difference(first: ArrayLike, second: ArrayLike, clusters: ArrayLike) -> Estimate:
    """Mean of first - second over the same observations; above zero, the first is better.

    Raises:
        ValueError: the two do not measure the same number of observations.
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != two.shape:
        raise ValueError(f"paired values must align: {one.shape} and {two.shape}")
    return mean_estimate(one - two, clusters)


def statistic_estimate(
    statistic: Callable[[IntVector], float],
    clusters: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    least: float = -math.inf,
) -> Estimate:
    """Any statistic of the observations, for example an ECE.

    A statistic may be biased by drawing: repeated observations are noisier than as many different ones, and an ECE grows
    with noise. So the percentiles are moved by what the resamples lie above the number itself on average (Efron and
    Tibshirani 1993, section 10.2). Of 150 simulated scorers that were wrong by 5, 10 and 18 percent, 96, 96 and 89% of such
    intervals held the ECE, 86, 98 and 92% of plain percentiles; of calibrated ones 65 and 3%.

    Args:
        statistic: takes the indices of the observations drawn (with repetition) and returns a number.
        clusters: cluster of each observation.
        least: no interval goes below it.
    """
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    if index.size == 0:
        return Estimate(None, None, None, 0, 0)
    everything = np.arange(index.size)
    values = [statistic(np.repeat(everything, draw[index])) for draw in _draws(len(names), resamples)]
    low, high = _percentiles(np.asarray(values))
    value = float(statistic(everything))
    bias = float(np.mean(values)) - value
    low, high = max(low - bias, least), high - bias
    return Estimate(value, min(low, value), max(high, value), int(index.size), len(names))


def _draws(clusters: int, resamples: int = RESAMPLES) -> IntVector:
    """How often each cluster is drawn, int [resamples, clusters]."""
    generator = np.random.default_rng(SEED)
    return generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples)


def _percentiles(values: FloatVector) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
