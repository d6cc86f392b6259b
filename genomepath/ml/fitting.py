"""What surrounds a fit: its callbacks, what survives it on disk, how it ends early, and the model that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genomepath.ml.config import ModelConfig
from genomepath.ml.dataset import TextFeatures, TruthMatrix
from genomepath.ml.inference import score_catalogue
from genomepath.ml.model import DualTower
from genomepath.ml.scores import Scores

EpochRecord = dict[str, Any]


class TrainingError(ValueError):
    """Training cannot start or go on: shapes that disagree, nothing to learn from, or a loss that is not finite."""


class TrainingInterrupted(Exception):
    """``should_stop`` asked for an end; ``epoch`` epochs are done and the state file, if any, holds them."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"training stopped after epoch {epoch}")
        self.epoch = epoch


@dataclass(frozen=True)
class FitCallbacks:
    """What a caller may hang into the loop.

    ``on_epoch(epoch, total, record)`` comes after every epoch; ``evaluate_epoch(epoch, scores)`` every
    ``metrics_every`` epochs and after the last, its metrics going into the record; ``should_stop()`` after every epoch.
    """

    on_epoch: Callable[[int, int, Mapping[str, Any]], None] | None = None
    evaluate_epoch: Callable[[int, Scores], Mapping[str, float]] | None = None
    should_stop: Callable[[], bool] | None = None


@dataclass(frozen=True)
class FitStorage:
    """Where a fit keeps what survives it: TensorBoard events and the state to resume from; None keeps nothing."""

    tensorboard_folder: Path | None = None
    state_file: Path | None = None
    resume: bool = False
    data_key: str = ""


@dataclass(frozen=True)
class FittedModel:
    """The weights of the best epoch (0: as they started), with the record of every epoch.

    Link evidence is taken from the training and the validation pairs, and leaves out the pair that it speaks of. In
    ``for_calibration`` it leaves out the validation pairs of a practice or target without any training pair: such a record
    would show its other links, which an unseen one of the test part does not have.
    """

    model: DualTower
    config: ModelConfig
    seed: int
    practices: tuple[str, ...]
    targets: tuple[str, ...]
    best_epoch: int
    history: tuple[EpochRecord, ...] = field(repr=False)
    for_calibration: Scores | None = field(default=None, repr=False)

    def score(self, features: TextFeatures) -> Scores:
        """Logits over the whole catalogue; ``features`` must hold the catalogue that the model was fitted on."""
        scores = score_catalogue(self.model, features)
        return replace(scores, for_calibration=self.for_calibration, epochs=self.best_epoch)


def check_inputs(features: TextFeatures, truth: TruthMatrix, validation: TruthMatrix | None) -> None:
    """
    Raises:
        TrainingError: no known pair on a side, or shapes or catalogues that disagree.
    """
    if not truth.pairs.any():
        raise TrainingError("the training side holds no known pair")
    if (len(features.practice_tokens), len(features.target_tokens)) != truth.pairs.shape:
        raise TrainingError(f"features do not fit the truth matrix {truth.pairs.shape}")
    if validation is None:
        return
    if (validation.practices, validation.targets) != (truth.practices, truth.targets):
        raise TrainingError("validation and training side have different catalogues")
    if not validation.pairs.any():
        raise TrainingError("the validation side holds no known pair")
