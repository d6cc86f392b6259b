"""What mattered in a full grid: the marginal mean of each value, and each hyperparameter's share of the variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genomepath.ml.tuning import GRID


@dataclass(frozen=True)
class MarginalEffect:
    """One value of a hyperparameter over the points that have it: mean, lowest and highest MRR, and how many points."""

    value: float
    mean: float
    low: float
    high: float
    points: int


@dataclass(frozen=True)
class HyperparameterEffect:
    """One hyperparameter: its values, and the share of the variance over all points that their means explain.

    In a balanced full grid the shares of main effects add up to at most 1; the rest is interaction and noise (analysis of
    variance, Fisher 1925).
    """

    name: str
    share: float
    values: tuple[MarginalEffect, ...]


def marginal_effects(points: Sequence[Mapping[str, Any]]) -> tuple[HyperparameterEffect, ...]:
    """The effects, the largest share first. Each point holds its hyperparameters and its ``mrr``."""
    mrr = np.array([point["mrr"] for point in points])
    total = float(((mrr - mrr.mean()) ** 2).sum()) if len(mrr) else 0.0
    effects = []
    for name in GRID:
        values = np.array([point[name] for point in points])
        groups = {float(value): mrr[values == value] for value in np.unique(values)}
        between = sum(len(group) * float(group.mean() - mrr.mean()) ** 2 for group in groups.values())
        effects.append(
            HyperparameterEffect(
                name=name,
                share=between / total if total else 0.0,
                values=tuple(
                    MarginalEffect(value, float(group.mean()), float(group.min()), float(group.max()), len(group))
                    for value, group in groups.items()
                ),
            )
        )
    return tuple(sorted(effects, key=lambda effect: -effect.share))
