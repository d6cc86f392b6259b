"""What a run does, by kind. Runs in the ML worker or in a command; the heavy libraries are imported here, on use."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from correlations.models import Correlation
from correlations.vocabulary import Origin
from genomepath.artefacts import artefact_root, model_folder, read_json, relative_to_root, snapshot_folder
from genomepath.code_version import code_version, constraints_sha256
from genomepath.ml.config import ConfigError, ModelConfig, preset_config
from genomepath.ml.snapshot import read_snapshot
from genomepath.models import ModelVersion, TrainingRun
from genomepath.publication import predictions_publish
from genomepath.registry import model_gate, model_promote, model_register
from genomepath.snapshot_folders import snapshot_keep
from genomepath.withdrawal import models_mark_withheld
from genomepath.withdrawal_queue import withdrawals_enqueue

if TYPE_CHECKING:
    from genomepath.ml.dataset import TruthMatrix
    from genomepath.ml.scores import Scores
    from genomepath.ml.splits import PairSplit
    from genomepath.run_execution import RunReporter

# What a training hands on to the evaluation that it asks for.
EVALUATION_PARAMETERS = ("protocols", "seeds", "workers", "then_promote")


def model_config(preset: str, parameters: Mapping[str, Any]) -> ModelConfig:
    """The configuration of a run: the preset with the run's own hyperparameters.

    Raises:
        ValidationError: an unknown hyperparameter or a value out of range.
    """
    try:
        return preset_config(preset, **parameters.get("hyperparameters", {}))
    except ConfigError as error:
        raise ValidationError({"parameters": str(error)}) from error


def train(run: TrainingRun, report: RunReporter) -> None:
    """Snapshot, train, register. A run that was cut off goes on from its last saved epoch if the data is unchanged."""
    from genomepath.ml.training_run import CodeIdentity, train_model

    config = model_config(run.preset, run.parameters)
    taken, manifest = snapshot_keep(owner=f"run-{run.public_id}", include_drafts=run.include_drafts)
    folder = _folder_to_train_in(run)
    if run.data_sha256 and run.data_sha256 != manifest["data_sha256"] and folder.exists():
        report.log("The data changed while the run was away: it starts again.")
        shutil.rmtree(folder)
    run.data_sha256 = manifest["data_sha256"]
    run.save(update_fields=["data_sha256"])
    report.progress(0, config.epochs, f"Training on {manifest['counts']['correlations']} correlations.")
    result = train_model(
        snapshot_folder(run.data_sha256),
        folder,
        config,
        seed=run.seed,
        on_epoch=lambda epoch, total, record: report.progress(epoch, total, _epoch_line(epoch, record)),
        on_calibration=lambda part, parts: _report_calibration(run, report, part, parts),
        resume=True,
        evaluate_epoch=_validation_metrics,
        code=CodeIdentity(code_version(), constraints_sha256()),
    )
    _report_early_stop(run, report, folder, config.epochs)
    version = model_register(
        sha256=result.model_sha256,
        folder=folder,
        snapshot_folder=snapshot_folder(run.data_sha256),
        trained_on=taken.item_public_ids,
        include_drafts=run.include_drafts,
    )
    run.model_version = version
    run.save(update_fields=["model_version"])
    models_mark_withheld()  # something may have been withdrawn while this run trained on it
    report.log(f"Model version {version.sha256[:12]} is registered ({version.state}).")
    if run.parameters.get("then_evaluate"):
        _request_evaluation(run, version)


def _folder_to_train_in(run: TrainingRun) -> Path:
    """The first folder of the run that no version points to: what is registered is never written to again.

    A run whose version was registered before its end was noted is taken up once more, perhaps on other data or other code.
    """
    models = artefact_root() / "models"
    names = (f"run-{run.public_id}{suffix}" for suffix in chain([""], (f"-{number}" for number in count(2))))
    return next(
        models / name
        for name in names
        if not ModelVersion.objects.filter(folder=relative_to_root(models / name)).exists()
    )


def _report_calibration(run: TrainingRun, report: RunReporter, part: int, parts: int) -> None:
    """The epochs are done, and what calibrates takes as long again: without a word a run would seem to hang."""
    run.refresh_from_db(fields=["progress_done", "progress_total"])
    report.progress(run.progress_done, run.progress_total, f"Calibrates: fit {part} of {parts}.")


def _report_early_stop(run: TrainingRun, report: RunReporter, folder: Path, most: int) -> None:
    """What was reached is all there was to do; otherwise a run that has ended would seem to have stood still."""
    run.refresh_from_db(fields=["progress_done"])
    done = run.progress_done
    if 0 < done < most:
        best = (read_json(folder / "config.json") or {}).get("best_epoch")
        report.progress(done, done, f"Stopped early after epoch {done}; kept are the weights of epoch {best}.")


def evaluate(run: TrainingRun, report: RunReporter) -> None:
    """Judge a version by the protocol, keep the result beside its weights, and let the gate decide."""
    from genomepath.ml.checkpoint import update_manifest, write_json
    from genomepath.ml.judgement import judge
    from genomepath.ml.performance_targets import target_outcomes
    from genomepath.ml.report import render_report

    version = _version_of(run)
    _refuse_marked(version)
    folder = model_folder(version)
    written = read_json(folder / "config.json")
    if written is None:
        raise ValidationError("The files of this model version are gone.")
    config = ModelConfig.from_json(written["hyperparameters"])
    if run.parameters.get("quick_calibration"):
        config = replace(config, calibration_parts=0)
    snapshot = read_snapshot(artefact_root() / version.snapshot_folder)
    report.progress(0, 1, "Encoding texts.")
    result = judge(
        snapshot,
        config,
        protocols=tuple(run.parameters.get("protocols", ("P0", "P1"))),
        seeds=tuple(run.parameters.get("seeds", (0,))),
        labels_by_rule=_labels_by_rule(snapshot.correlations),
        without_conditions=bool(run.parameters.get("without_conditions", False)),
        workers=int(run.parameters.get("workers", 2)),
        on_progress=lambda done, total, text: report.progress(done, total, f"Judged {text}."),
    )
    _refuse_marked(version)  # something may have been withdrawn while it was judged
    write_json(folder / "evaluation.json", result.to_dict())
    (folder / "evaluation.md").write_text(render_report(result), encoding="utf-8")
    update_manifest(folder)
    version.metrics = _summary(result.to_dict(), [outcome.__dict__ for outcome in target_outcomes(result)])
    version.save(update_fields=["metrics"])
    if run.parameters.get("then_promote"):
        _promote(run, version, report)
        return
    decision = model_gate(version=version)
    report.log("The gate would let this version pass." if decision["passed"] else "The gate refuses this version.")


def publish(run: TrainingRun, report: RunReporter) -> None:
    """Store the predictions of a version."""
    rows = predictions_publish(version=_version_of(run))
    report.progress(1, 1, f"{rows} predictions published.")


def _version_of(run: TrainingRun) -> ModelVersion:
    if run.model_version is None:
        raise ValidationError({"model_version": "The run names no model version."})
    return run.model_version


def _refuse_marked(version: ModelVersion) -> None:
    models_mark_withheld()
    version.refresh_from_db(fields=["marked_at"])
    if version.marked_at is not None:
        raise ValidationError(
            "This model version was trained on knowledge that has since been withheld: it is not judged."
        )


def _request_evaluation(run: TrainingRun, version: ModelVersion) -> None:
    from genomepath.models.training_run import RunKind
    from genomepath.runs import run_request

    run_request(
        kind=RunKind.EVALUATION,
        preset=run.preset,
        seed=run.seed,
        include_drafts=run.include_drafts,
        model_version=version,
        requested_by=run.requested_by,
        requested_role=run.requested_role,
        parameters={key: run.parameters[key] for key in EVALUATION_PARAMETERS if key in run.parameters},
    )


def _promote(run: TrainingRun, version: ModelVersion, report: RunReporter) -> None:
    """Put the version into service if the gate lets it pass; a refusal is an answer of the run, not its failure."""
    try:
        model_promote(version=version, promoted_by=run.requested_by)
    except ValidationError as error:
        report.log(" ".join(error.messages))
    else:
        report.log("The gate passed; this version is in service.")
    withdrawals_enqueue()


def _labels_by_rule(correlations: Any) -> bool:
    """Whether every practice of the snapshot has only correlations that were derived by the bundled rule."""
    slugs = {row.practice for row in correlations}
    return not Correlation.objects.filter(practice__slug__in=slugs).exclude(origin=Origin.BUNDLED.value).exists()


def _epoch_line(epoch: int, record: Mapping[str, Any]) -> str:
    shown = ("train_loss", "validation_loss", "tk_to_genomic_mrr", "genomic_to_tk_mrr")
    parts = [f"{name.replace('_', ' ')} {record[name]:.4f}" for name in shown if name in record]
    return f"Epoch {epoch}: {', '.join(parts)}"


def _validation_metrics(epoch: int, scores: Scores, truth: TruthMatrix, split: PairSplit) -> Mapping[str, float]:
    """accuracy@k and MRR of both directions over the validation pairs; the test pairs are never looked at."""
    import numpy as np

    from genomepath.ml.metrics import hits_at, reciprocal_ranks
    from genomepath.ml.ranks import filtered_ranks

    known = truth.pairs & ~split.test
    cells = np.argwhere(split.validation)
    metrics = {}
    for direction, matrix, rows, pairs in (
        ("tk_to_genomic", scores.pair_scores, cells, known),
        ("genomic_to_tk", scores.genomic_to_tk, cells[:, ::-1], known.T),
    ):
        ranks = filtered_ranks(matrix, pairs, rows).ranks
        metrics[f"{direction}_mrr"] = float(reciprocal_ranks(ranks).mean())
        for k in (1, 3, 5, 10):
            metrics[f"{direction}_accuracy_at_{k}"] = float(hits_at(ranks, k).mean())
    return metrics


def _summary(evaluation: dict[str, Any], targets: list[dict[str, Any]]) -> dict[str, Any]:
    """What the admin and the API show of an evaluation; the whole of it stays in the model folder."""
    protocols = {
        name: {
            "held_out": result["held_out"],
            "unit": result["unit"],
            "chance": result["chance"],
            "scorers": {
                scorer: {"directions": row["directions"], "consistency": row["consistency"], "oracle": row["oracle"]}
                for scorer, row in result["scorers"].items()
            },
        }
        for name, result in evaluation["protocols"].items()
    }
    return {"seeds": evaluation["seeds"], "folds": evaluation["folds"], "protocols": protocols, "targets": targets}
