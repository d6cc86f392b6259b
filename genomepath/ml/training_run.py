"""From a snapshot folder to a model folder: split, fit, score, calibrate, export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomepath.ml import checkpoint, leakage
from genomepath.ml.checkpoint import ModelManifest, Provenance
from genomepath.ml.confidence_curves import fit_curves
from genomepath.ml.config import ModelConfig
from genomepath.ml.conformal import fit_thresholds
from genomepath.ml.cross_fitting import CalibrationSample, put_together
from genomepath.ml.dataset import TextFeatures, TruthMatrix, build_text_features, records_as_read
from genomepath.ml.embedding import MiniLMEncoder, TextEncoder
from genomepath.ml.known_targets import write_known_targets
from genomepath.ml.published_field_shares import write_field_shares
from genomepath.ml.scores import BoolArray, Scores
from genomepath.ml.snapshot import Snapshot, read_snapshot
from genomepath.ml.splits import PairSplit, stratified_pair_split

if TYPE_CHECKING:
    from genomepath.ml.fitting import FittedModel

OnCalibration = Callable[[int, int], None]
OnEpoch = Callable[[int, int, Mapping[str, Any]], None]
EvaluateEpoch = Callable[[int, Scores, TruthMatrix, PairSplit], Mapping[str, float]]


@dataclass(frozen=True)
class CodeIdentity:
    """What goes into ``config.json`` beside the data: version of the code and SHA-256 of the constraints file."""

    code_version: str = "unversioned"
    constraints_sha256: str = ""


@dataclass(frozen=True)
class NeuralScorer:
    """The model as a scorer of the evaluation protocol; picklable, fits from nothing at each call."""

    config: ModelConfig
    uses_validation: bool = True

    @property
    def calibration_parts(self) -> int:
        """For how many parts it is fitted anew to be calibrated."""
        return self.config.calibration_parts

    def __call__(
        self,
        snapshot: Snapshot,
        features: TextFeatures,
        training: TruthMatrix,
        /,
        *,
        validation: TruthMatrix,
        seed: int,
        epochs: int | None = None,
    ) -> Scores:
        """Fit on ``training``, stop early on ``validation`` or after ``epochs``, score the catalogue."""
        from genomepath.ml.training import fit

        return fit(features, training, validation, self.config, seed=seed, epochs=epochs).score(features)


def model_scorer(config: ModelConfig) -> NeuralScorer:
    """The neural model for ``evaluate``; wrap it in ``FixedFeatures`` to judge it without condition fields."""
    return NeuralScorer(config)


def train_model(
    snapshot_folder: Path,
    output_folder: Path,
    config: ModelConfig,
    *,
    seed: int,
    on_epoch: OnEpoch | None = None,
    on_calibration: OnCalibration | None = None,
    resume: bool = False,
    evaluate_epoch: EvaluateEpoch | None = None,
    should_stop: Callable[[], bool] | None = None,
    code: CodeIdentity | None = None,
    encoder: TextEncoder | None = None,
) -> ModelManifest:
    """Train on a snapshot and write the model folder.

    Args:
        snapshot_folder: a verified snapshot; nothing else is read.
        output_folder: made if absent; its manifest is written last, so that a folder with a manifest is complete.
        config: hyperparameters.
        seed: of the split and of the fit.
        on_epoch: called with (epoch, total epochs, record) after each epoch.
        on_calibration: called with (part, parts), counted from 1, before each fit that calibrates.
        resume: go on from the state that an interrupted run left in ``output_folder``; without one, start anew.
        evaluate_epoch: metrics every few epochs, from (epoch, scores, whole truth, split); the caller picks the side.
        should_stop: asked after each epoch; True ends the run with its state saved.
        code: version of code and constraints for the provenance.
        encoder: MiniLM unless given.

    Raises:
        SnapshotError, SplitError, TrainingError, TrainingStateError: the input cannot be trained on.
        LeakageError: a pair stands on two sides of the split, or a test pair among the links that the model takes evidence
            from or among those that calibrate.
        TrainingInterrupted: ``should_stop`` returned True.
    """
    from genomepath.ml.field_shares import field_shares
    from genomepath.ml.fitting import FitCallbacks, FitStorage
    from genomepath.ml.onnx_export import export_onnx
    from genomepath.ml.training import fit

    snapshot = read_snapshot(snapshot_folder)
    truth = TruthMatrix.from_snapshot(snapshot)
    split = stratified_pair_split(truth, seed)
    leakage.check_split(split, truth)
    features = build_text_features(snapshot, encoder or MiniLMEncoder(), config.drop_conditions)
    output_folder.mkdir(parents=True, exist_ok=True)
    (output_folder / checkpoint.MANIFEST).unlink(missing_ok=True)
    state_file = output_folder / checkpoint.STATE
    fitted = fit(
        features,
        truth.only_pairs(split.train),
        truth.only_pairs(split.validation),
        config,
        seed=seed,
        callbacks=FitCallbacks(on_epoch, _bind_metrics(evaluate_epoch, truth, split), should_stop),
        storage=FitStorage(output_folder / checkpoint.TENSORBOARD, state_file, resume, snapshot.data_sha256),
    )
    links = fitted.model.pairs.links.numpy() > 0
    leakage.check_pairs_disjoint(links, split.test, truth, "the model's links and the test side")
    scores = fitted.score(features)
    code = code or CodeIdentity()
    provenance = Provenance(snapshot.data_sha256, code.code_version, code.constraints_sha256)
    checkpoint.write_fitted_model(fitted, scores, output_folder, provenance)
    records = records_as_read(snapshot, config.drop_conditions)
    write_field_shares(output_folder, field_shares(fitted.model, features), *records)
    write_known_targets(output_folder, features.targets)
    sample = _sample(fitted, features, truth, split, should_stop=should_stop, on_calibration=on_calibration)
    sample = sample or put_together([(split.validation_cells, scores.to_calibrate_on)])
    checkpoint.write_json(output_folder / checkpoint.CALIBRATION, calibrate(sample, truth, split))
    parity = export_onnx(fitted.model, features, output_folder)
    checkpoint.write_json(output_folder / checkpoint.ONNX_PARITY, {"largest_difference": parity})
    state_file.unlink(missing_ok=True)
    return checkpoint.update_manifest(output_folder)


def calibrate(sample: CalibrationSample, truth: TruthMatrix, split: PairSplit) -> dict[str, Any]:
    """The curves of the confidences and the thresholds of the sets, fitted on cells that their fits did not see.

    Raises:
        LeakageError: a cell of the sample is a test cell.
    """
    leakage.check_pairs_disjoint(sample.cells, split.test_cells, truth, "calibration and test")
    thresholds = fit_thresholds(sample.scores, truth, truth.pairs & sample.cells)
    return {
        "sets": {way: threshold.to_dict() for way, threshold in thresholds.items()},
        **fit_curves(sample, truth).to_dict(),
    }


def _sample(
    fitted: FittedModel,
    features: TextFeatures,
    truth: TruthMatrix,
    split: PairSplit,
    *,
    should_stop: Callable[[], bool] | None,
    on_calibration: OnCalibration | None,
) -> CalibrationSample | None:
    """What fits like the model's say of the calibration parts, which they did not see; None where it asks for none."""
    from genomepath.ml.fitting import FitCallbacks
    from genomepath.ml.training import fit

    parts: list[tuple[BoolArray, Scores]] = []
    chosen = split.calibration_parts[: fitted.config.calibration_parts]
    for cells in chosen:
        if on_calibration is not None:
            on_calibration(len(parts) + 1, len(chosen))
        trained = (split.train | split.validation) & ~cells
        leakage.check_calibration(cells, split.test_cells, trained, truth)
        part = fit(
            features,
            truth.only_pairs(trained),
            truth.only_pairs(split.train & cells),
            fitted.config,
            seed=fitted.seed,
            epochs=fitted.best_epoch,
            callbacks=FitCallbacks(should_stop=should_stop),
        )
        parts.append((cells, part.score(features).to_calibrate_on))
    return put_together(parts) if parts else None


def _bind_metrics(
    evaluate_epoch: EvaluateEpoch | None, truth: TruthMatrix, split: PairSplit
) -> Callable[[int, Scores], Mapping[str, float]] | None:
    if evaluate_epoch is None:
        return None
    return lambda epoch, scores: evaluate_epoch(epoch, scores, truth, split)
