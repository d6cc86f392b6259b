"""The model registry: register, gate, promote, roll back. The gate's rules are in ``genomepath.ml.gate``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from correlations.models import Practice
from ethics import audit
from ethics.attribution import attribution_for
from ethics.policy import Audience, Purpose
from genomepath.answer_warming import answers_warm_on_commit
from genomepath.artefacts import artefact_root, model_folder, read_evaluation, read_json, relative_to_root
from genomepath.ethics_scan import scan_folders
from genomepath.ml.checkpoint import ONNX_PARITY
from genomepath.ml.gate import GateDecision, gate_decide
from genomepath.models import ModelVersion, Prediction
from genomepath.models.model_version import VersionState
from genomepath.publication import predictions_publish
from genomepath.withdrawal import models_mark_withheld, withheld_from_training

CLIENT_AUDIENCES = (Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY)


@transaction.atomic
def model_register(
    *,
    sha256: str,
    folder: Path,
    snapshot_folder: Path,
    trained_on: tuple[UUID, ...],
    include_drafts: bool,
) -> ModelVersion:
    """Enter a trained model folder; the same weights trained again are the same version, in the folder it has.

    A version that was marked for a withdrawal is a candidate again when a new training on what may be used now gives it.
    """
    config = read_json(folder / "config.json")
    version, created = ModelVersion.objects.get_or_create(
        sha256=sha256,
        defaults={
            "preset": config["preset"],
            "seed": config["seed"],
            "data_sha256": config["data_sha256"],
            "code_version": config["code_version"],
            "folder": relative_to_root(folder),
            "snapshot_folder": relative_to_root(snapshot_folder),
            "include_drafts": include_drafts,
            "trained_on": list(trained_on),
        },
    )
    if not created:
        _readmit(version)
    if created or model_folder(version) == folder:
        return version
    if model_folder(version).is_dir():
        shutil.rmtree(folder)
    else:
        version.folder = relative_to_root(folder)
        version.save(update_fields=["folder"])
    return version


@transaction.atomic
def model_gate(*, version: ModelVersion) -> dict[str, Any]:
    """Let the gate decide over a version, store the decision and record it.

    Raises:
        ValidationError: the version or the active one was never evaluated, or files are gone.
    """
    evaluation = read_evaluation(version)
    if evaluation is None:
        raise ValidationError("This model version has not been evaluated: run an evaluation first.")
    active = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).exclude(pk=version.pk).first()
    active_evaluation = read_evaluation(active) if active else None
    if active and active_evaluation is None:
        raise ValidationError("The active model has no evaluation to compare with: run an evaluation of it first.")
    try:
        scan_clean = not scan_folders([model_folder(version), artefact_root() / version.snapshot_folder])
    except FileNotFoundError as error:
        raise ValidationError(f"The files of this model version are gone: {error}") from error
    first = not ModelVersion.objects.filter(promoted_at__isnull=False).exclude(pk=version.pk).exists()
    decision = gate_decide(
        evaluation=evaluation,
        ethics_scan_clean=scan_clean,
        attribution_complete=_attribution_complete(),
        onnx_parity=(read_json(model_folder(version) / ONNX_PARITY) or {}).get("largest_difference"),
        active=active_evaluation,
        first_of_installation=first and active is None,
    )
    version.gate = verdict = decision.to_dict()
    version.save(update_fields=["gate"])
    _record_decision(version, decision)
    return verdict


def model_promote(*, version: ModelVersion, promoted_by: str) -> ModelVersion:
    """Put a version into service: gate, publish its predictions, retire the active one. All of it or nothing.

    Raises:
        ValidationError: the version is marked or quarantined, or a hard rule of the gate failed; the messages say which.
    """
    _refuse_unfit(version)
    decision = model_gate(version=version)
    if not decision["passed"]:
        failed = [f"{rule['name']}: {rule['detail']}" for rule in decision["rules"] if not rule["passed"]]
        raise ValidationError(["The gate refuses this model version.", *failed])
    return _activate(version, promoted_by, provisional=decision["provisional"])


@transaction.atomic
def model_retire(*, version: ModelVersion) -> bool:
    """Take a version out of service without another in its place; whether it was in service."""
    locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if locked.state != VersionState.ACTIVE:
        return False
    locked.state = VersionState.RETIRED.value
    locked.save(update_fields=["state"])
    audit.record("model.retired", subjects=[locked.sha256], model_sha256=locked.sha256)
    return True


@transaction.atomic
def model_quarantine(*, version: ModelVersion) -> int:
    """Shut a marked version that is not in service away for good; returns how many of its predictions were deleted.

    Raises:
        ValidationError: the version is in service or was never marked.
    """
    locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if locked.state == VersionState.ACTIVE or locked.marked_at is None:
        raise ValidationError("Only a marked version that is not in service is shut away.")
    deleted, _ = Prediction.objects.filter(model_version=locked).delete()
    if locked.state != VersionState.QUARANTINED:
        locked.state = VersionState.QUARANTINED.value
        locked.save(update_fields=["state"])
        audit.record("model.quarantined", subjects=[locked.sha256], model_sha256=locked.sha256)
    return deleted


@transaction.atomic
def _activate(version: ModelVersion, promoted_by: str, *, provisional: bool) -> ModelVersion:
    locked = {row.pk: row for row in ModelVersion.objects.select_for_update().order_by("pk")}
    promoted = locked[version.pk]
    _refuse_unfit(promoted)  # a withdrawal may have come between the gate and the lock
    for row in locked.values():
        if row.state == VersionState.ACTIVE and row.pk != promoted.pk:
            row.state = VersionState.RETIRED.value
            row.save(update_fields=["state"])
            audit.record("model.retired", subjects=[row.sha256], model_sha256=row.sha256)
    predictions_publish(version=promoted)
    promoted.state = VersionState.ACTIVE.value
    promoted.provisional = provisional
    promoted.promoted_at = timezone.now()
    promoted.promoted_by = promoted_by
    promoted.save(update_fields=["state", "provisional", "promoted_at", "promoted_by"])
    audit.record(
        "model.promoted",
        subjects=[promoted.sha256],
        model_sha256=promoted.sha256,
        details={"provisional": provisional},
    )
    answers_warm_on_commit()
    return promoted


def _readmit(version: ModelVersion) -> None:
    if version.marked_at is None or withheld_from_training(version.trained_on):
        return
    version.marked_at = None
    if version.state == VersionState.QUARANTINED:
        version.state = VersionState.CANDIDATE.value
    version.save(update_fields=["marked_at", "state"])
    audit.record("model.readmitted", subjects=[version.sha256], model_sha256=version.sha256)


def _refuse_unfit(version: ModelVersion) -> None:
    models_mark_withheld()
    version.refresh_from_db()
    if version.marked_at is not None:
        raise ValidationError("This model version was trained on knowledge that has since been withheld.")
    if version.state == VersionState.QUARANTINED:
        raise ValidationError("A quarantined model version cannot be promoted.")


def _attribution_complete() -> bool:
    """Whether every practice that any client may be shown comes with community, statement and basis."""
    now = timezone.now()
    for audience in CLIENT_AUDIENCES:
        practices = Practice.objects.permitted_for(Purpose.PREDICTION, audience, now).with_policy_facts()
        for practice in practices:
            statement = attribution_for(practice.item, Purpose.PREDICTION, audience, now)
            if statement is None or not (statement["statement"].strip() and statement["community"]["name"].strip()):
                return False
            if not (statement["basis"]["source"].strip() or statement["basis"]["consent_reference"]):
                return False
    return True


def _record_decision(version: ModelVersion, decision: GateDecision) -> None:
    audit.record(
        "model.gated",
        subjects=[version.sha256],
        model_sha256=version.sha256,
        details={
            "passed": decision.passed,
            "provisional": decision.provisional,
            "failed_rules": [rule.name for rule in decision.failures],
        },
    )
