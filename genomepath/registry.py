"""The model registry: register, gate, promote, roll back. The gate's rules are in ``genomepath.ml.gate``.

A promotion asks the gate first, and a rollback its checks; both take a while, and happen before the rows are locked. So
what they found out about the version in service is looked at again under the locks.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.policy import Audience
from genomepath.answer_warming import answers_warm_on_commit
from genomepath.artefacts import (
    model_folder,
    read_evaluation,
    read_json,
    relative_to_root,
    verify_model_files,
)
from genomepath.ml.checkpoint import ONNX_PARITY
from genomepath.ml.gate import GateDecision, GateRule, gate_decide
from genomepath.models import ModelVersion, Prediction
from genomepath.models.model_version import VersionState
from genomepath.publication import predictions_publish
from genomepath.version_checks import attribution_complete, scan_is_clean
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

    The stored decision is the gate's, with the SHA-256 of the active version that it ``compared_with``, or none.

    Raises:
        ValidationError: the version or the active one was never evaluated, or files are gone or were changed.
    """
    evaluation = read_evaluation(version)
    if evaluation is None:
        raise ValidationError("This model version has not been evaluated: run an evaluation first.")
    active = _active_beside(version)
    active_evaluation = read_evaluation(active) if active else None
    if active and active_evaluation is None:
        raise ValidationError("The active model has no evaluation to compare with: run an evaluation of it first.")
    verify_model_files(version)
    decision = gate_decide(
        evaluation=evaluation,
        ethics_scan_clean=scan_is_clean(version),
        attribution_complete=attribution_complete(),
        onnx_parity=(read_json(model_folder(version) / ONNX_PARITY) or {}).get("largest_difference"),
        active=active_evaluation,
        first_of_installation=_is_first(version) and active is None,
    )
    compared_with = active.sha256 if active else None
    version.gate = verdict = {**decision.to_dict(), "compared_with": compared_with}
    version.save(update_fields=["gate"])
    _record_decision(version, decision, compared_with)
    return verdict


def model_promote(*, version: ModelVersion, promoted_by: str) -> ModelVersion:
    """Put a version into service: gate, publish its predictions, retire the active one. All of it or nothing.

    Raises:
        ValidationError: the version is marked or quarantined, a hard rule of the gate failed (the messages say which), or
            the gate compared with a version that is not the active one any more.
    """
    _refuse_unfit(version)
    decision = model_gate(version=version)
    if not decision["passed"]:
        failed = [f"{rule['name']}: {rule['detail']}" for rule in decision["rules"] if not rule["passed"]]
        raise ValidationError(["The gate refuses this model version.", *failed])
    return _enter_service(version, promoted_by, decision)


def model_roll_back(*, version: ModelVersion | None = None, rolled_back_by: str) -> ModelVersion:
    """Put a version back that was in service before; without one, the last in service before the active one.

    It passed the gate when it went into service, and keeps its provisional mark. It is not compared with the active one,
    which is what one goes back from. What may have changed since is looked at again: marks, files, ethics scan and
    attribution.

    Raises:
        ValidationError: the version was never in service or may not come back, there is none, or another version went into
            service meanwhile.
    """
    models_mark_withheld()
    active = ModelVersion.objects.filter(state=VersionState.ACTIVE.value).first()
    version = version or _last_in_service()
    _refuse_unfit(version)
    _refuse_never_in_service(version)
    verify_model_files(version)
    if not scan_is_clean(version):
        raise ValidationError("The ethics scan found a leak in the files of this model version.")
    if not attribution_complete():
        raise ValidationError("A prediction lacks its attribution.")
    return _return_to_service(version, rolled_back_by, active.sha256 if active else None)


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
def _enter_service(version: ModelVersion, promoted_by: str, decision: dict[str, Any]) -> ModelVersion:
    promoted, active = _lock(version)
    _refuse_unfit(promoted)  # a withdrawal may have come between the gate and the lock
    _refuse_another_active(active, decision["compared_with"])
    if decision["provisional"] and not _is_first(promoted):
        raise ValidationError("Another model version was promoted meanwhile, so this one is not the first any more.")
    promoted.provisional = decision["provisional"]
    _replace(active, promoted, promoted_by)
    audit.record(
        "model.promoted",
        subjects=[promoted.sha256],
        model_sha256=promoted.sha256,
        details={"provisional": promoted.provisional},
    )
    return promoted


@transaction.atomic
def _return_to_service(version: ModelVersion, rolled_back_by: str, seen_active: str | None) -> ModelVersion:
    returned, active = _lock(version)
    _refuse_unfit(returned)
    _refuse_never_in_service(returned)
    _refuse_another_active(active, seen_active)
    _replace(active, returned, rolled_back_by)
    audit.record(
        "model.rolled_back",
        subjects=[returned.sha256],
        model_sha256=returned.sha256,
        details={"provisional": returned.provisional, "replaced": active.sha256 if active else None},
    )
    return returned


def _lock(version: ModelVersion) -> tuple[ModelVersion, ModelVersion | None]:
    """The version and the other one that is active, as they are now. Every row is locked, so that none becomes active."""
    rows = {row.pk: row for row in ModelVersion.objects.select_for_update().order_by("pk")}
    locked = rows.pop(version.pk)
    return locked, next((row for row in rows.values() if row.state == VersionState.ACTIVE), None)


def _replace(active: ModelVersion | None, version: ModelVersion, put_by: str) -> None:
    if active is not None:
        active.state = VersionState.RETIRED.value
        active.save(update_fields=["state"])
        audit.record("model.retired", subjects=[active.sha256], model_sha256=active.sha256)
    predictions_publish(version=version)
    version.state = VersionState.ACTIVE.value
    version.promoted_at = timezone.now()
    version.promoted_by = put_by
    version.save(update_fields=["state", "provisional", "promoted_at", "promoted_by"])
    answers_warm_on_commit()


def _active_beside(version: ModelVersion) -> ModelVersion | None:
    return ModelVersion.objects.filter(state=VersionState.ACTIVE.value).exclude(pk=version.pk).first()


def _is_first(version: ModelVersion) -> bool:
    """Whether no other version was ever in service."""
    return not ModelVersion.objects.filter(promoted_at__isnull=False).exclude(pk=version.pk).exists()


def _last_in_service() -> ModelVersion:
    once = ModelVersion.objects.filter(
        state=VersionState.RETIRED.value, promoted_at__isnull=False, marked_at__isnull=True
    )
    latest = once.order_by("-promoted_at", "-pk").first()
    if latest is None:
        raise ValidationError(
            "There is no model version to go back to: none was in service before and may serve again."
        )
    return latest


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


def _refuse_never_in_service(version: ModelVersion) -> None:
    if version.state == VersionState.ACTIVE:
        raise ValidationError("This model version is in service already.")
    if version.state != VersionState.RETIRED or version.promoted_at is None:
        raise ValidationError("This model version was not in service before: promote it through the gate.")


def _refuse_another_active(active: ModelVersion | None, seen: str | None) -> None:
    """Without an active one there is nothing to be worse than: a withdrawal may have retired it meanwhile."""
    if active is not None and active.sha256 != seen:
        raise ValidationError(
            f"Model version {active.sha256[:12]} went into service meanwhile, and this one was not compared with it: "
            "try again."
        )


def _record_decision(version: ModelVersion, decision: GateDecision, compared_with: str | None) -> None:
    audit.record(
        "model.gated",
        subjects=[version.sha256],
        model_sha256=version.sha256,
        details={
            "passed": decision.passed,
            "provisional": decision.provisional,
            "failed_rules": [rule.name for rule in decision.failures],
            "rules": [f"{rule.name}: {_outcome(rule, decision)} ({rule.detail})" for rule in decision.rules],
            "compared_with": compared_with,
        },
    )


def _outcome(rule: GateRule, decision: GateDecision) -> str:
    if rule.passed:
        return "passed"
    return "waived for the first model" if decision.provisional else "failed"
