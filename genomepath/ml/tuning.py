"""The specified grid of hyperparameters on the training side of one P1 split: what one of its points reaches.

The split is the one that a model of the same seed trains on; its test pairs are not looked at. A point stops early on the
validation pairs and is judged on them: good for choosing among points, too good as an estimate.
"""

from __future__ import annotations

import itertools
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from genomepath.ml import leakage, metrics
from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TextFeatures, TruthMatrix, build_text_features
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.ranks import filtered_ranks
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import read_snapshot
from genomepath.ml.splits import PairSplit, stratified_pair_split

GRID: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "learning_rate": (1e-5, 5e-5, 1e-4, 5e-4),
        "batch_rows": (16, 32, 64),
        "dropout": (0.05, 0.1, 0.2),
        "bridge": (128, 256, 512),
    }
)
"""108 points."""


@dataclass(frozen=True, eq=False)
class TuningData:
    """What every point of a study shares."""

    truth: TruthMatrix
    split: PairSplit
    features: TextFeatures


@dataclass(frozen=True)
class TuningResult:
    """What a point reached on the validation pairs; ``mrr`` is the mean of both directions, by which points are ordered.

    ``peak_mib`` is the most memory that the process had taken up to the end of this point.
    """

    mrr: float
    tk_to_genomic_mrr: float
    genomic_to_tk_mrr: float
    tk_to_genomic_accuracy_at_5: float
    genomic_to_tk_accuracy_at_3: float
    chance_mrr: float
    validation_loss: float
    best_epoch: int
    epochs: int
    seconds: float
    peak_mib: float


def grid_points(grid: Mapping[str, tuple[float, ...]] = GRID) -> Iterator[dict[str, Any]]:
    """The points in a fixed order, each as hyperparameters of a preset."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


@lru_cache(maxsize=1)
def tuning_data(snapshot_folder: Path, seed: int) -> TuningData:
    """The split and the encoded texts, read once a process.

    Raises:
        SnapshotError, SplitError: the folder holds no snapshot, or too little for a split.
    """
    snapshot = read_snapshot(snapshot_folder)
    truth = TruthMatrix.from_snapshot(snapshot)
    return TuningData(truth, stratified_pair_split(truth, seed), build_text_features(snapshot, MiniLMEncoder()))


def tune_point(
    data: TuningData,
    preset: str,
    hyperparameters: Mapping[str, Any],
    *,
    seed: int,
    epochs: int | None = None,
    on_epoch: Callable[[], None] | None = None,
) -> TuningResult:
    """Train one point, at most ``epochs`` epochs or those of the preset, and judge it on the validation pairs.

    ``on_epoch`` comes after every epoch; what it raises ends the point.

    Raises:
        ConfigError, TrainingError: the point can't be trained.
        LeakageError: a pair stands on two sides of the split, or a test pair among the links that the model takes evidence
            from.
    """
    from genomepath.ml.fitting import FitCallbacks
    from genomepath.ml.training import fit

    started = time.perf_counter()
    limit = {} if epochs is None else {"epochs": epochs}
    config = preset_config(preset, **hyperparameters, **limit)
    truth, split = data.truth, data.split
    leakage.check_split(split, truth)
    training, validation = truth.only_pairs(split.train), truth.only_pairs(split.validation)
    callbacks = FitCallbacks() if on_epoch is None else FitCallbacks(on_epoch=lambda *_: on_epoch())
    fitted = fit(data.features, training, validation, config, seed=seed, callbacks=callbacks)
    links = fitted.model.pairs.links.numpy() > 0
    leakage.check_pairs_disjoint(links, split.test, truth, "the model's links and the test side")
    reached = _validation_metrics(fitted.score(data.features).to_calibrate_on, truth, split)
    best = next((row for row in fitted.history if row["epoch"] == fitted.best_epoch), fitted.history[0])
    return TuningResult(
        **reached,
        validation_loss=float(best["validation_loss"]),
        best_epoch=fitted.best_epoch,
        epochs=len(fitted.history),
        seconds=round(time.perf_counter() - started, 3),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def _validation_metrics(scores: Scores, truth: TruthMatrix, split: PairSplit) -> dict[str, float]:
    cells, known = np.argwhere(split.validation), truth.pairs & ~split.test
    forward = filtered_ranks(scores.pair_scores, known, cells)
    backward = filtered_ranks(scores.genomic_to_tk, known.T, cells[:, ::-1])
    one, two = (float(metrics.reciprocal_ranks(part.ranks).mean()) for part in (forward, backward))
    chance = [metrics.chance_reciprocal_ranks(part.candidates).mean() for part in (forward, backward)]
    return {
        "mrr": (one + two) / 2,
        "tk_to_genomic_mrr": one,
        "genomic_to_tk_mrr": two,
        "tk_to_genomic_accuracy_at_5": float(metrics.hits_at(forward.ranks, 5).mean()),
        "genomic_to_tk_accuracy_at_3": float(metrics.hits_at(backward.ranks, 3).mean()),
        "chance_mrr": float(np.mean(chance)),
    }
