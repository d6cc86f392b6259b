"""Synergy recognition: a curated target pair is recognised for a practice when both targets are among its top 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genomepath.ml.ranks import list_ranks
from genomepath.ml.scores import BoolArray, FloatArray

TOP = 5


@dataclass(frozen=True)
class SynergyRecognition:
    """Counts and rates over (practice, curated pair) instances; a rate is None where nothing can be measured.

    An instance is true when the practice is linked to both targets. ``macro_recall`` is the mean recall of the curated
    pairs without the commonest one, which popularity alone would recognise.
    """

    instances: int
    recognised: int
    true_recognised: int
    recall: float | None
    precision: float | None
    f1: float | None
    macro_recall: float | None
    macro_pairs: int
    commonest: str

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return dict(self.__dict__)


def chance_recognition(known: BoolArray, pairs: Sequence[tuple[int, int]]) -> dict[str, float]:
    """Expected recall, precision, F1 and macro-recall of a random order of all targets, by ratios of expectations.

    ``known`` and ``pairs`` as in ``synergy_recognition``; empty where no instance is true.
    """
    practices, targets = known.shape
    instances = sum(int((known[:, a] & known[:, b]).sum()) for a, b in pairs)
    if not instances:
        return {}
    both = min(1.0, TOP * (TOP - 1) / (targets * (targets - 1)))
    asked = practices * len(pairs)
    return {
        "recall": both,
        "precision": instances / asked,
        "f1": 2 * instances * both / (instances + asked * both),
        "macro_recall": both,
    }


def synergy_recognition(
    scores: FloatArray, known: BoolArray, pairs: Sequence[tuple[int, int]], names: Sequence[str]
) -> SynergyRecognition:
    """Recall, precision, F1 and macro-recall.

    Args:
        scores: out-of-fold [P, G]: each true pair scored by a model that did not see it. All targets are candidates.
        known: bool [P, G].
        pairs: target indices of the curated pairs.
        names: target symbols, to name the commonest pair.
    """
    top = list_ranks(scores, np.ones_like(known)) <= TOP
    true = np.array([known[:, a] & known[:, b] for a, b in pairs], dtype=bool).reshape(len(pairs), len(known))
    recognised = np.array([top[:, a] & top[:, b] for a, b in pairs], dtype=bool).reshape(len(pairs), len(known))
    hits = int((true & recognised).sum())
    instances, found = int(true.sum()), int(recognised.sum())
    sizes = true.sum(axis=1)
    commonest = int(sizes.argmax()) if instances else -1
    rest = [index for index in range(len(pairs)) if sizes[index] and index != commonest]
    recalls = [(true & recognised)[index].sum() / sizes[index] for index in rest]
    return SynergyRecognition(
        instances=instances,
        recognised=found,
        true_recognised=hits,
        recall=hits / instances if instances else None,
        precision=hits / found if found else None,
        f1=2 * hits / (instances + found) if instances else None,
        macro_recall=float(np.mean(recalls)) if recalls else None,
        macro_pairs=len(rest),
        commonest="" if commonest < 0 else " + ".join(names[index] for index in pairs[commonest]),
    )
