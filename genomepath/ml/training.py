"""Fitting the dual tower: batches of practice-dose rows against the whole bank, early stopping, resume.

A step encodes ``batch_rows`` practice-dose rows and a part of the targets with gradient. The rest of both banks comes
from the evaluation pass at the end of the epoch before, so that the bridge always attends over all records while every
record is encoded with gradient once an epoch. All draws of an epoch follow from (seed, epoch).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genomepath.ml.augmentation import DOSE_COUNT, Augmenter
from genomepath.ml.config import ModelConfig
from genomepath.ml.dataset import BoolArray, IntArray, TextFeatures, TruthMatrix
from genomepath.ml.fitting import (
    EpochRecord,
    FitCallbacks,
    FitStorage,
    FittedModel,
    TrainingError,
    TrainingInterrupted,
    check_inputs,
)
from genomepath.ml.inference import CatalogueEncoding, as_tensors, catalogue_logits, encode_catalogue, score_catalogue
from genomepath.ml.losses import direction_loss, held_out_listwise_loss, held_out_loss, listwise_loss
from genomepath.ml.model import DualTower
from genomepath.ml.optimisation import ClippedAdamW, cosine_learning_rate, encoding_precision, fast_matmul
from genomepath.ml.pair_scorer import in_view, some_as_new
from genomepath.ml.scores import Scores
from genomepath.ml.training_log import TrainingLog
from genomepath.ml.training_state import TrainingState, read_state, write_state


def fit(
    features: TextFeatures,
    truth: TruthMatrix,
    validation: TruthMatrix | None,
    config: ModelConfig,
    *,
    seed: int,
    epochs: int | None = None,
    callbacks: FitCallbacks | None = None,
    storage: FitStorage | None = None,
) -> FittedModel:
    """Train on ``truth`` and stop early on ``validation``, or after ``epochs``.

    Args:
        features: token embeddings of the catalogue of ``truth``.
        truth: the training side; pairs held out elsewhere are zero in it and count as negatives.
        validation: the validation pairs alone (rows of P0 may repeat a training pair); None trains all epochs and
            keeps the last.
        config: hyperparameters.
        seed: of initial weights, batches, dropout and augmentation; equal seeds give equal weights on one machine.
        epochs: train so many, 0 or more, and keep the last, whatever the validation pairs say; None stops early.
        callbacks: progress, metrics and stopping.
        storage: TensorBoard folder and resume state.

    Raises:
        TrainingError: no training pairs, shapes that disagree, or a loss that is not finite.
        TrainingInterrupted: ``should_stop`` returned True.
        TrainingStateError: the state file belongs to another configuration, seed or data.
    """
    check_inputs(features, truth, validation)
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        run = _Run(features, truth, validation, config, seed=seed, epochs=epochs, storage=storage or FitStorage())
        with fast_matmul():
            run.train(callbacks or FitCallbacks())
        return run.fitted()


class _Run:
    """One training run: model, optimiser, best weights so far, and what is needed to compute the losses."""

    def __init__(
        self,
        features: TextFeatures,
        truth: TruthMatrix,
        validation: TruthMatrix | None,
        config: ModelConfig,
        *,
        seed: int,
        epochs: int | None = None,
        storage: FitStorage,
    ) -> None:
        self.features, self.truth, self.validation = features, truth, validation
        self.config, self.seed, self.epochs, self.storage = config, seed, epochs, storage
        torch.manual_seed(seed)
        self.model = DualTower(config, practices=len(truth.practices), targets=len(truth.targets))
        self.row_confidence = torch.from_numpy(truth.confidence.reshape(-1, len(truth.targets)))
        self.target_confidence = torch.from_numpy(np.ascontiguousarray(truth.pair_confidence.T))
        self.seen_rows = np.flatnonzero(np.repeat(truth.seen_practices, DOSE_COUNT))
        self.seen_practices = np.flatnonzero(truth.seen_practices)
        self.seen_targets = np.flatnonzero(truth.seen_targets)
        self.model.pairs.start(features, truth)
        self.pairs = self.model.pairs.catalogue_features(features)
        self.as_new = in_view(self.pairs, "new practice"), in_view(self.pairs, "new target")
        for head in (self.model.tk_to_genomic_head, self.model.genomic_to_tk_head):
            _start_at_zero(head)
        self.optimizer = ClippedAdamW(self.model, weight_decay=config.weight_decay, clip_norm=config.clip_norm)
        self.learning_rate = config.learning_rate
        self.history: list[EpochRecord] = []
        self.best_epoch = 0
        self.best_loss = float("inf")
        self.best_weights = copy.deepcopy(self.model.state_dict())
        if storage.resume and storage.state_file and storage.state_file.exists():
            self._restore(read_state(storage.state_file, self._key()))

    def train(self, callbacks: FitCallbacks) -> None:
        log = TrainingLog(self.storage.tensorboard_folder, first_epoch=len(self.history) + 1)
        log.hyperparameters({**self.config.to_json(), "seed": self.seed})
        try:
            encoding = self._encode()
            if not self.history:
                self._keep_best(0, self._validate(catalogue_logits(self.model, encoding, self.pairs)))
            while not self._finished():
                encoding = self._run_epoch(encoding, callbacks)
                log.epoch(self.history[-1])
                self._after_epoch(callbacks)
        finally:
            log.close()

    def fitted(self) -> FittedModel:
        """The weights of the best epoch, scored at full precision."""
        self.model.load_state_dict(self.best_weights)
        for_calibration = self._take_validation_links()
        self.model.eval()
        return FittedModel(
            model=self.model,
            config=self.config,
            seed=self.seed,
            practices=self.truth.practices,
            targets=self.truth.targets,
            best_epoch=self.best_epoch,
            history=tuple(self.history),
            for_calibration=for_calibration,
        )

    def _take_validation_links(self) -> Scores | None:
        """Let the model use the validation pairs as evidence; returns ``FittedModel.for_calibration``."""
        if self.validation is None:
            return None
        encoding = encode_catalogue(self.model, self.features)
        before = score_catalogue(self.model, self.features, encoding)
        self.model.pairs.add_links(self.validation)
        after = score_catalogue(self.model, self.features, encoding)
        known = self.truth.pairs
        unseen: BoolArray = ~np.logical_and.outer(known.any(axis=1), known.any(axis=0))
        return Scores(
            np.where(unseen[:, None, :], before.tk_to_genomic, after.tk_to_genomic),
            np.where(unseen.T, before.genomic_to_tk, after.genomic_to_tk),
            log_odds=True,
        )

    def _finished(self) -> bool:
        done = len(self.history)
        if self.epochs is not None:
            return done >= self.epochs
        stalled = self.validation is not None and done - self.best_epoch >= self.config.patience
        return done >= self.config.epochs or (done > 0 and stalled)

    def _run_epoch(self, encoding: CatalogueEncoding, callbacks: FitCallbacks) -> CatalogueEncoding:
        epoch = len(self.history) + 1
        learning_rate = cosine_learning_rate(self.config.learning_rate, epoch - 1, self.config.cosine_t_max)
        record: EpochRecord = {
            "epoch": epoch,
            "learning_rate": learning_rate,
            **self._optimise(encoding, epoch, learning_rate),
        }
        encoding = self._encode()
        logits = catalogue_logits(self.model, encoding, self.pairs)
        record |= self._validate(logits)
        self._keep_best(epoch, record)
        self.history.append(record)
        due = epoch % self.config.metrics_every == 0 or self._finished()
        if callbacks.evaluate_epoch is not None and due:
            scores = Scores(tk_to_genomic=logits[0].numpy(), genomic_to_tk=logits[1].numpy())
            record["metrics"] = {name: float(value) for name, value in callbacks.evaluate_epoch(epoch, scores).items()}
        return encoding

    def _encode(self) -> CatalogueEncoding:
        with encoding_precision():
            return encode_catalogue(self.model, self.features)

    def _validate(self, logits: tuple[Tensor, Tensor]) -> EpochRecord:
        if self.validation is None or self.epochs is not None:
            return {}
        sides = self.config, logits, self.truth, self.validation
        return {"validation_loss": held_out_loss(*sides), "validation_listwise": held_out_listwise_loss(*sides)}

    def _optimise(self, encoding: CatalogueEncoding, epoch: int, learning_rate: float) -> dict[str, float]:
        self.learning_rate = learning_rate
        rng = np.random.default_rng([self.seed, epoch])
        torch.manual_seed(int(rng.integers(2**31)))
        augmenter = Augmenter(self.features, self.config.augmentation, rng)
        self.model.train()
        steps = [self._step(encoding, augmenter, *parts) for parts in self._batches(rng)]
        means = {name: float(np.mean([step[name] for step in steps])) for name in steps[0]}
        if not all(np.isfinite(value) for value in means.values()):
            raise TrainingError(f"epoch {epoch}: loss or gradient is not finite; a lower learning rate may help")
        return means

    def _batches(self, rng: np.random.Generator) -> Iterator[tuple[IntArray, IntArray]]:
        """Seen practice-dose rows and targets of each step; both are dealt out once an epoch."""
        rows, targets = rng.permutation(self.seen_rows), rng.permutation(self.seen_targets)
        steps = -(-len(rows) // self.config.batch_rows)
        sampled = self.config.augmentation.target_sampling
        groups = np.array_split(targets, min(steps, len(targets))) if sampled else [targets]
        for step in range(steps):
            start = step * self.config.batch_rows
            yield rows[start : start + self.config.batch_rows], groups[step % len(groups)]

    def _step(
        self, encoding: CatalogueEncoding, augmenter: Augmenter, rows: IntArray, targets: IntArray
    ) -> dict[str, float]:
        model, config = self.model, self.config
        row_index, target_index = torch.from_numpy(rows), torch.from_numpy(targets)
        with encoding_precision():
            practice = model.practice_encoder(*as_tensors(augmenter.practice_doses(rows)))
            target = model.target_encoder(*as_tensors(augmenter.targets(targets)))
        target_bank = encoding.target_bank.index_copy(0, target_index, target.pooled)
        practice_bank = encoding.practice_bank.index_copy(0, row_index, practice.pooled)
        row_labels, target_labels = self.row_confidence[row_index], self.target_confidence[target_index]
        pairs = some_as_new(self.pairs, self.as_new, config.share_as_new)
        row_logits = model.practice_logits(practice, target_bank, pairs[row_index // DOSE_COUNT])
        target_logits = model.target_logits(target, practice_bank, pairs[:, target_index])
        for_rows = row_logits[:, self.seen_targets], row_labels[:, self.seen_targets]
        for_targets = target_logits[:, self.seen_practices], target_labels[:, self.seen_practices]
        forward, backward = direction_loss(*for_rows), direction_loss(*for_targets)
        listwise = self._weighted(listwise_loss(*for_rows), listwise_loss(*for_targets))
        shared = direction_loss(
            model.shared_logits(model.shared_practice(practice.pooled), model.shared_target(target.pooled)),
            row_labels[:, target_index],
        )
        loss = self._weighted(forward, backward)
        total = loss + config.shared_space_weight * shared + config.listwise_weight * listwise
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norm = self.optimizer.step(self.learning_rate)
        losses = {"train_loss": loss, "train_loss_tk_to_genomic": forward, "train_loss_genomic_to_tk": backward}
        losses |= {"train_listwise": listwise, "train_loss_shared_space": shared, "gradient_norm": norm}
        return {name: value.item() for name, value in losses.items()}

    def _weighted(self, forward: Tensor, backward: Tensor) -> Tensor:
        return self.config.tk_to_genomic_weight * forward + self.config.genomic_to_tk_weight * backward

    def _keep_best(self, epoch: int, record: EpochRecord) -> None:
        stopping = "validation_listwise" if self.config.listwise_weight > 0 else "validation_loss"
        loss = record.get(stopping, -float(epoch))
        if not loss < self.best_loss:
            return
        self.best_loss, self.best_epoch = loss, epoch
        for name, weight in self.model.state_dict().items():
            self.best_weights[name].copy_(weight)

    def _after_epoch(self, callbacks: FitCallbacks) -> None:
        epoch = len(self.history)
        stop = callbacks.should_stop is not None and callbacks.should_stop()
        if stop or epoch % self.config.state_every == 0:
            self._save_state()
        if callbacks.on_epoch is not None:
            callbacks.on_epoch(epoch, self.config.epochs, self.history[-1])
        if stop:
            raise TrainingInterrupted(epoch)

    def _key(self) -> dict[str, Any]:
        return {"config": self.config.to_json(), "seed": self.seed, "data": self.storage.data_key}

    def _save_state(self) -> None:
        if self.storage.state_file is None:
            return
        state = TrainingState(
            weights=self.model.state_dict(),
            best_weights=self.best_weights,
            moments=self.optimizer.moments(),
            best_epoch=self.best_epoch,
            best_loss=self.best_loss,
            history=self.history,
        )
        write_state(self.storage.state_file, state, self._key())

    def _restore(self, state: TrainingState) -> None:
        self.model.load_state_dict(dict(state.weights))
        self.best_weights = dict(state.best_weights)
        self.best_epoch, self.best_loss, self.history = state.best_epoch, state.best_loss, list(state.history)
        self.optimizer.restore(state.moments)


def _start_at_zero(head: nn.Sequential) -> None:
    """Let the head add nothing at first: the pair scorer starts fitted, and the towers learn what it lacks."""
    for parameter in head[-1].parameters():
        nn.init.zeros_(parameter)
