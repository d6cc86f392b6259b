"""How often a free text gets no answer because it is far from all that is known: texts of unseen practices, and others.

Measured over the outer folds of P2. A practice of the test part is a text of a caller's own; what it is compared with, and
the threshold, come from the training side alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomepath.ml import bootstrap
from genomepath.ml.bootstrap import Estimate
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.embedding import TextEncoder
from genomepath.ml.far_texts import CHOOSING, JUDGING
from genomepath.ml.fields import practice_text
from genomepath.ml.results import AbstentionRates, AbstentionResult
from genomepath.ml.snapshot import PracticeRecord, Snapshot
from genomepath.ml.splits import protocol_folds
from genomepath.text_door import FAR_FROM_KNOWN, closeness, practice_views, segments

PROTOCOL = "P2"
ANSWERED_SHARE = 0.99
"""So many of the texts about a practice that is left out must go on being answered."""

FloatArray = NDArray[np.float32]


def far_threshold(nearest_known: FloatArray, unrelated: FloatArray) -> float:
    """The closeness, in hundredths, below which a text gets no answer.

    Just above the closest unrelated text, unless 99% of the texts about a left-out practice forbid it.

    Args:
        nearest_known: of each text about a practice to the nearest other practice.
        unrelated: of each unrelated text to the nearest practice.
    """
    allowed = float(np.quantile(nearest_known, 1 - ANSWERED_SHARE))
    return math.floor(100 * min(float(unrelated.max()) + 0.01, allowed)) / 100


def measure_abstention(
    snapshot: Snapshot, encoder: TextEncoder, *, seeds: Sequence[int], folds: int = 5
) -> AbstentionResult:
    """The share of texts that get no answer, with intervals over practices and over unrelated texts.

    Raises:
        SplitError: too few practices for the folds of P2.
    """
    texts = _Texts(snapshot.practices, encoder)
    truth = TruthMatrix.from_snapshot(snapshot)
    found = [
        _judge_fold(texts, np.asarray(fold.test_cells.any(axis=1)))
        for seed in seeds
        for fold in protocol_folds(PROTOCOL, snapshot, truth, seed=seed, folds=folds)
    ]
    return AbstentionResult(
        thresholds=tuple(fold.threshold for fold in found),
        chosen=_rates(found, served=False),
        served_threshold=FAR_FROM_KNOWN,
        served=_rates(found, served=True),
    )


class _Texts:
    """How close the texts come: ``whole`` and ``titles`` [P, P] of practices to practices (to itself: 1 or less), and of
    unrelated texts to practices, ``choosing`` [12, P] and ``judging`` [60, P]."""

    def __init__(self, practices: Sequence[PracticeRecord], encoder: TextEncoder) -> None:
        views = [_views(record) for record in practices]
        vectors = encoder.encode([view for own in views for view in own])
        starts = np.cumsum([0, *(len(own) for own in views[:-1])])

        def close(texts: Sequence[str]) -> FloatArray:
            rows = [closeness(encoder.encode(segments(text)), vectors) for text in texts]
            return np.maximum.reduceat(np.stack(rows), starts, axis=1)

        self.whole = close([practice_text(record) for record in practices])
        self.titles = close([record.title for record in practices])
        self.choosing, self.judging = close(CHOOSING), close(JUDGING)


@dataclass(frozen=True)
class _FoldAbstention:
    """One fold: its threshold, the practices held out, and how close each text came to the training side."""

    threshold: float
    practices: NDArray[np.intp]
    whole: FloatArray
    titles: FloatArray
    far: FloatArray


def _judge_fold(texts: _Texts, is_held_out: NDArray[np.bool_]) -> _FoldAbstention:
    held_out, known = np.flatnonzero(is_held_out), np.flatnonzero(~is_held_out)
    among_known = np.where(np.eye(len(known), dtype=bool), -1.0, texts.whole[np.ix_(known, known)]).max(axis=1)
    return _FoldAbstention(
        threshold=far_threshold(among_known, texts.choosing[:, known].max(axis=1)),
        practices=held_out,
        whole=texts.whole[np.ix_(held_out, known)].max(axis=1),
        titles=texts.titles[np.ix_(held_out, known)].max(axis=1),
        far=texts.judging[:, known].max(axis=1),
    )


def _rates(folds: Sequence[_FoldAbstention], *, served: bool) -> AbstentionRates:
    def rate(name: str, clusters: Sequence[NDArray[np.intp]]) -> Estimate:
        below = [getattr(fold, name) < (FAR_FROM_KNOWN if served else fold.threshold) for fold in folds]
        return bootstrap.mean_estimate(np.concatenate(below), np.concatenate(clusters))

    practices = [fold.practices for fold in folds]
    return AbstentionRates(
        whole=rate("whole", practices),
        titles=rate("titles", practices),
        far=rate("far", [np.arange(len(JUDGING))] * len(folds)),
    )


def _views(record: PracticeRecord) -> list[str]:
    return practice_views(
        title=record.title,
        indications=record.indications,
        preparation=record.preparation,
        cultural_context=record.cultural_context,
    )
