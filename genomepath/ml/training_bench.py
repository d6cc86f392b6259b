"""Training by matrix rows beside training correlation by correlation: the same model, data, losses and optimiser steps.

Both take the same practice-dose rows a step. By rows they are encoded as one batch with a part of the targets; correlation
by correlation each known link of these rows is a forward and a backward pass of its own, of its practice at its dose and of
its target, and the step follows when the gradients of all are summed up.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genomepath.ml import metrics
from genomepath.ml.augmentation import DOSE_COUNT, Augmenter
from genomepath.ml.config import ModelConfig
from genomepath.ml.dataset import IntArray, TextFeatures, TruthMatrix
from genomepath.ml.fitting import FitCallbacks, FitStorage, FittedModel
from genomepath.ml.inference import CatalogueEncoding, as_tensors
from genomepath.ml.losses import direction_loss, listwise_loss
from genomepath.ml.optimisation import encoding_precision, fast_matmul
from genomepath.ml.ranks import filtered_ranks
from genomepath.ml.splits import PairSplit
from genomepath.ml.training import _Run

EQUAL_QUALITY = 0.05
"""Two trainings whose validation MRR differ by less than this, over a few dozen pairs, are of equal quality."""


@dataclass(frozen=True)
class TimedTraining:
    """One training: its optimiser steps, seconds by the clock and of the processor (which other work on the machine does not
    lengthen), and the validation loss and MRR that it ended with."""

    steps: int
    seconds: float
    cpu_seconds: float
    validation_loss: float
    mrr: float

    @property
    def seconds_a_step(self) -> float:
        """Mean over all steps, the evaluation pass of each epoch included."""
        return self.seconds / self.steps


@dataclass(frozen=True)
class BenchInputs:
    """What is trained on."""

    features: TextFeatures
    truth: TruthMatrix
    split: PairSplit
    config: ModelConfig
    seed: int


def measure_training(inputs: BenchInputs, *, loop_epochs: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Time a whole training by rows, then a short one by rows and one correlation by correlation, of equal steps."""
    tell(f"{inputs.config.epochs} epochs by matrix rows")
    whole = _timed(MatrixRows, inputs, inputs.config.epochs)
    peak = _peak_mib()
    tell(f"{loop_epochs} epochs by matrix rows")
    rows = _timed(MatrixRows, inputs, loop_epochs)
    tell(f"{loop_epochs} epochs correlation by correlation")
    loop = _timed(CorrelationLoop, inputs, loop_epochs)
    return {
        "preset": inputs.config.preset,
        "correlations": int((inputs.truth.only_pairs(inputs.split.train).confidence > 0).sum()),
        "epochs": inputs.config.epochs,
        "whole_seconds": round(whole.seconds, 2),
        "whole_cpu_seconds": round(whole.cpu_seconds, 2),
        "whole_mrr": round(whole.mrr, 4),
        "rows": _report(rows),
        "correlation_by_correlation": _report(loop),
        "times": round(loop.seconds_a_step / rows.seconds_a_step, 2),
        "mrr_difference": round(rows.mrr - loop.mrr, 4),
        "equal_quality": rows.mrr >= loop.mrr - EQUAL_QUALITY,
        "peak_mib_by_rows": peak,
        "peak_mib": _peak_mib(),
    }


class MatrixRows(_Run):
    """The training as it is, which counts its steps."""

    steps = 0

    def _step(
        self, encoding: CatalogueEncoding, augmenter: Augmenter, rows: IntArray, targets: IntArray
    ) -> dict[str, float]:
        self.steps += 1
        return super()._step(encoding, augmenter, rows, targets)


class CorrelationLoop(MatrixRows):
    """The same training with each correlation as an example of its own."""

    def _step(
        self, encoding: CatalogueEncoding, augmenter: Augmenter, rows: IntArray, targets: IntArray
    ) -> dict[str, float]:
        self.steps += 1
        known = self.truth.confidence.reshape(-1, len(self.truth.targets))[rows] > 0
        links = [(int(rows[row]), int(target)) for row, target in np.argwhere(known)]
        self.optimizer.zero_grad()
        losses = [self._backward(encoding, augmenter, row, target, len(links)) for row, target in links]
        norm = self.optimizer.step(self.learning_rate)
        return {"train_loss": float(np.mean(losses or [0.0])), "gradient_norm": norm.item()}

    def _backward(self, encoding: CatalogueEncoding, augmenter: Augmenter, row: int, target: int, links: int) -> float:
        """Add the gradient of one correlation, a practice-dose row and a target; returns its loss."""
        model, config = self.model, self.config
        row_index, target_index = torch.tensor([row]), torch.tensor([target])
        with encoding_precision():
            practice = model.practice_encoder(*as_tensors(augmenter.practice_doses(row_index.numpy())))
            gene = model.target_encoder(*as_tensors(augmenter.targets(target_index.numpy())))
        target_bank = encoding.target_bank.index_copy(0, target_index, gene.pooled)
        practice_bank = encoding.practice_bank.index_copy(0, row_index, practice.pooled)
        forward = model.practice_logits(practice, target_bank, self.pairs[row_index // DOSE_COUNT])
        backward = model.target_logits(gene, practice_bank, self.pairs[:, target_index])
        shared = model.shared_logits(model.shared_practice(practice.pooled), model.shared_target(gene.pooled))
        labels = self.row_confidence[row_index], self.target_confidence[target_index]
        total = self._both(direction_loss, forward, backward, labels)
        total = total + config.listwise_weight * self._both(listwise_loss, forward, backward, labels)
        total = total + config.shared_space_weight * direction_loss(shared, labels[0][:, target_index])
        (total / links).backward()  # type: ignore[no-untyped-call]
        return float(total.item())

    def _both(
        self, loss: Callable[[Tensor, Tensor], Tensor], forward: Tensor, backward: Tensor, labels: tuple[Tensor, Tensor]
    ) -> Tensor:
        weights = self.config.tk_to_genomic_weight, self.config.genomic_to_tk_weight
        return weights[0] * loss(forward, labels[0]) + weights[1] * loss(backward, labels[1])


def _timed(kind: type[MatrixRows], inputs: BenchInputs, epochs: int) -> TimedTraining:
    """Train all epochs without stopping early, and judge the last weights that were best on the validation pairs."""
    config = replace(inputs.config, epochs=epochs, patience=epochs)
    training, validation = (inputs.truth.only_pairs(mask) for mask in (inputs.split.train, inputs.split.validation))
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        started, cpu_started = time.perf_counter(), time.process_time()
        run = kind(inputs.features, training, validation, config, seed=inputs.seed, storage=FitStorage())
        with fast_matmul():
            run.train(FitCallbacks())
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        fitted = run.fitted()
    return TimedTraining(
        run.steps, seconds, cpu_seconds, float(run.history[-1]["validation_loss"]), _mrr(fitted, inputs)
    )


def _mrr(fitted: FittedModel, inputs: BenchInputs) -> float:
    """Mean of both directions over the validation pairs."""
    scores, split = fitted.score(inputs.features).to_calibrate_on, inputs.split
    known, cells = inputs.truth.pairs & ~split.test, np.argwhere(split.validation)
    ranks = (
        filtered_ranks(scores.pair_scores, known, cells),
        filtered_ranks(scores.genomic_to_tk, known.T, cells[:, ::-1]),
    )
    return float(np.mean([metrics.reciprocal_ranks(part.ranks).mean() for part in ranks]))


def _report(training: TimedTraining) -> dict[str, Any]:
    found = {name: round(value, 4) for name, value in asdict(training).items()}
    return {**found, "steps": training.steps, "seconds_a_step": round(training.seconds_a_step, 4)}


def _peak_mib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
