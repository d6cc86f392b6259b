"""How often a text gets no answer because it is far from all that is known: texts about what is unseen, and others.

A practice that P2 holds out is a text of a caller's own, a target that P3 holds out a description. What they are compared
with, and the threshold, come from the training side of the outer fold alone.
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
from genomepath.ml.known_targets import FAR_FROM_TARGETS, description_texts, target_views
from genomepath.ml.once_encoder import OnceEncoder
from genomepath.ml.results import AbstentionRates, AbstentionResult
from genomepath.ml.snapshot import PracticeRecord, Snapshot, TargetRecord
from genomepath.ml.splits import protocol_folds
from genomepath.text_door import FAR_FROM_KNOWN, closeness, practice_views, segments

PRACTICES_PROTOCOL, TARGETS_PROTOCOL = "P2", "P3"
ANSWERED_SHARE = 0.99
"""So many of the texts about a practice or target that is left out must go on being answered."""

FloatArray = NDArray[np.float32]


def far_threshold(nearest_known: FloatArray, unrelated: FloatArray) -> float:
    """The closeness, in hundredths, below which a text gets no answer.

    Just above the closest unrelated text, unless 99% of the texts about a left-out record forbid it.

    Args:
        nearest_known: of each text about a practice or target to the nearest other one.
        unrelated: of each unrelated text to the nearest practice or target.
    """
    allowed = float(np.quantile(nearest_known, 1 - ANSWERED_SHARE))
    return math.floor(100 * min(float(unrelated.max()) + 0.01, allowed)) / 100


def measure_text_abstention(
    snapshot: Snapshot, encoder: TextEncoder, *, seeds: Sequence[int], folds: int = 5
) -> AbstentionResult:
    """The share of texts about a practice that get no answer, with intervals over practices and over unrelated texts.

    Raises:
        SplitError: too few practices for the folds of P2.
    """
    texts = _compared(
        views=[_practice_views(record) for record in snapshot.practices],
        whole=[segments(practice_text(record)) for record in snapshot.practices],
        names=[segments(record.title) for record in snapshot.practices],
        encoder=encoder,
    )
    judged = _judge_folds(texts, snapshot, PRACTICES_PROTOCOL, seeds=seeds, folds=folds)
    return _result(judged, FAR_FROM_KNOWN)


def measure_description_abstention(
    snapshot: Snapshot, encoder: TextEncoder, *, seeds: Sequence[int], folds: int = 5
) -> AbstentionResult:
    """The share of descriptions that get no answer, with intervals over targets and over unrelated texts.

    Raises:
        SplitError: too few targets for the folds of P3.
    """
    texts = _compared(
        views=[target_views(record) for record in snapshot.targets],
        whole=[description_texts(record) for record in snapshot.targets],
        names=[description_texts(TargetRecord(record.symbol, "", (), (), ())) for record in snapshot.targets],
        encoder=encoder,
    )
    judged = _judge_folds(texts, snapshot, TARGETS_PROTOCOL, seeds=seeds, folds=folds)
    return _result(judged, FAR_FROM_TARGETS)


@dataclass(frozen=True)
class _Compared:
    """How close texts come to N records: ``whole`` and ``names`` [N, N] of the records to the records (to itself: 1 or
    less), and of unrelated texts, ``choosing`` [12, N] and ``judging`` [60, N]."""

    whole: FloatArray
    names: FloatArray
    choosing: FloatArray
    judging: FloatArray


def _compared(
    *,
    views: Sequence[Sequence[str]],
    whole: Sequence[Sequence[str]],
    names: Sequence[Sequence[str]],
    encoder: TextEncoder,
) -> _Compared:
    """``views`` are the texts of each record that is compared with; ``whole`` and ``names`` the parts of each text."""
    once = OnceEncoder(encoder)
    vectors = once.encode([view for own in views for view in own])
    starts = np.cumsum([0, *(len(own) for own in views[:-1])])

    def close(texts: Sequence[Sequence[str]]) -> FloatArray:
        rows = [closeness(once.encode(parts), vectors) for parts in texts]
        highest: FloatArray = np.maximum.reduceat(np.stack(rows), starts, axis=1)
        return highest

    choosing, judging = ([segments(text) for text in texts] for texts in (CHOOSING, JUDGING))
    return _Compared(close(whole), close(names), close(choosing), close(judging))


@dataclass(frozen=True)
class _FoldAbstention:
    """One fold: its threshold, the records held out, and how close each text came to the training side."""

    threshold: float
    held_out: NDArray[np.intp]
    whole: FloatArray
    names: FloatArray
    far: FloatArray


def _judge_folds(
    texts: _Compared, snapshot: Snapshot, protocol: str, *, seeds: Sequence[int], folds: int
) -> list[_FoldAbstention]:
    truth, pairs_of_record = TruthMatrix.from_snapshot(snapshot), 0 if protocol == TARGETS_PROTOCOL else 1
    return [
        _judge_fold(texts, np.asarray(fold.test_cells.any(axis=pairs_of_record)))
        for seed in seeds
        for fold in protocol_folds(protocol, snapshot, truth, seed=seed, folds=folds)
    ]


def _judge_fold(texts: _Compared, is_held_out: NDArray[np.bool_]) -> _FoldAbstention:
    held_out, known = np.flatnonzero(is_held_out), np.flatnonzero(~is_held_out)
    among_known = np.where(np.eye(len(known), dtype=bool), -1.0, texts.whole[np.ix_(known, known)]).max(axis=1)
    return _FoldAbstention(
        threshold=far_threshold(among_known, texts.choosing[:, known].max(axis=1)),
        held_out=held_out,
        whole=texts.whole[np.ix_(held_out, known)].max(axis=1),
        names=texts.names[np.ix_(held_out, known)].max(axis=1),
        far=texts.judging[:, known].max(axis=1),
    )


def _result(folds: Sequence[_FoldAbstention], in_service: float) -> AbstentionResult:
    chosen = [fold.threshold for fold in folds]
    return AbstentionResult(
        thresholds=tuple(chosen),
        chosen=_rates(folds, chosen),
        served_threshold=in_service,
        served=_rates(folds, [in_service] * len(folds)),
    )


def _rates(folds: Sequence[_FoldAbstention], thresholds: Sequence[float]) -> AbstentionRates:
    def rate(name: str, clusters: Sequence[NDArray[np.intp]]) -> Estimate:
        below = [getattr(fold, name) < threshold for fold, threshold in zip(folds, thresholds, strict=True)]
        return bootstrap.mean_estimate(np.concatenate(below), np.concatenate(clusters))

    held_out = [fold.held_out for fold in folds]
    return AbstentionRates(
        whole=rate("whole", held_out),
        names=rate("names", held_out),
        far=rate("far", [np.arange(len(JUDGING))] * len(folds)),
    )


def _practice_views(record: PracticeRecord) -> list[str]:
    return practice_views(
        title=record.title,
        indications=record.indications,
        preparation=record.preparation,
        cultural_context=record.cultural_context,
    )
