"""Runs: pieces of work for the ML worker, asked for, handed to its queue, cancelled and found again.

What carries them out is ``genomepath.run_execution``. A run whose message or worker was lost is queued again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from ethics import audit
from genomepath.ml.config import ConfigError, preset_config
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind, RunState

logger = logging.getLogger(__name__)

# A waiting run is put into the queue again after so long: its message may have been lost with the broker.
QUEUE_PATIENCE = timedelta(minutes=5)
PRESETS = ("spec", "small")
ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}


def heartbeat_limit() -> timedelta:
    """After so long without a heartbeat a running run counts as lost."""
    return timedelta(seconds=settings.RUN_HEARTBEAT_LIMIT_SECONDS)


@transaction.atomic
def run_request(
    *,
    kind: RunKind,
    requested_by: str,
    preset: str = "spec",
    seed: int = 0,
    include_drafts: bool = False,
    parameters: dict[str, Any] | None = None,
    model_version: ModelVersion | None = None,
    requested_role: str = "system",
    enqueue: bool = True,
) -> TrainingRun:
    """Note a run and hand it to the ML queue when the transaction commits.

    Raises:
        ValidationError: unknown preset or hyperparameter, a run of this kind without its model version, or a field
            that does not fit.
    """
    if preset not in PRESETS:
        raise ValidationError({"preset": f"Unknown preset; choose one of {', '.join(PRESETS)}."})
    if kind != RunKind.TRAINING and model_version is None:
        raise ValidationError({"model_version": f"A run of kind {kind.value} needs a model version."})
    try:
        preset_config(preset, **(parameters or {}).get("hyperparameters", {}))
    except ConfigError as error:
        raise ValidationError({"parameters": str(error)}) from error
    run = TrainingRun(
        kind=kind.value,
        preset=preset,
        seed=seed,
        include_drafts=include_drafts,
        parameters=parameters or {},
        model_version=model_version,
        requested_by=requested_by,
        requested_role=requested_role or "system",
        request_id=audit.current_context().request_id,
    )
    run.full_clean()
    run.save()
    audit.record("training.requested", subjects=[run.public_id], details={"kind": kind.value, "preset": preset})
    if enqueue:
        _enqueue_on_commit(run)
    return run


@transaction.atomic
def run_requeue(*, run: TrainingRun) -> None:
    """Open a run again that was lost, failed or cancelled: it goes on from its last saved epoch.

    Raises:
        ValidationError: the run waits, works, or has ended well.
    """
    locked = TrainingRun.objects.select_for_update().get(pk=run.pk)
    if locked.state in {RunState.QUEUED, RunState.SUCCEEDED} or (
        locked.state == RunState.RUNNING and has_fresh_heartbeat(locked)
    ):
        raise ValidationError(f"A {locked.state} run cannot be resumed.")
    locked.state, locked.error, locked.finished_at = RunState.QUEUED.value, "", None
    locked.message, locked.heartbeat_at = "Resumed.", None
    locked.save(update_fields=["state", "error", "finished_at", "message", "heartbeat_at"])
    audit.record(
        "training.requested", subjects=[locked.public_id], details={"kind": locked.kind, "preset": locked.preset}
    )


@transaction.atomic
def run_cancel(*, run: TrainingRun) -> None:
    """Cancel a run: a queued one never starts, a running one stops at its next report.

    Raises:
        ValidationError: the run has ended already.
    """
    locked = TrainingRun.objects.select_for_update().get(pk=run.pk)
    if locked.state in ENDED:
        raise ValidationError(f"The run has ended already: {locked.state}.")
    locked.state = RunState.CANCELLED.value
    locked.finished_at = timezone.now()
    locked.message = "Cancelled."
    locked.save(update_fields=["state", "finished_at", "message"])
    audit.record("training.failed", subjects=[locked.public_id], reason="cancelled", details={"kind": locked.kind})


@transaction.atomic
def runs_reap_lost() -> int:
    """Queue again the runs whose worker stopped reporting, marked as lost, and those whose message was lost.

    A message is taken for lost when nobody took the run up within ``QUEUE_PATIENCE``. Returns how many were queued.
    """
    now = timezone.now()
    silent = Q(state=RunState.RUNNING.value, heartbeat_at__lt=now - heartbeat_limit())
    forgotten = Q(state__in=[RunState.QUEUED.value, RunState.LOST.value], queued_at__lt=now - QUEUE_PATIENCE)
    runs = list(TrainingRun.objects.select_for_update(skip_locked=True).filter(silent | forgotten))
    for run in runs:
        if run.state == RunState.RUNNING:
            run.state = RunState.LOST.value
            run.message = "The worker stopped reporting; the run was queued again."
            run.save(update_fields=["state", "message"])
        _enqueue_on_commit(run)
    return len(runs)


def _enqueue_on_commit(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(queued_at=timezone.now())
    transaction.on_commit(lambda: _enqueue(run.public_id))


def _enqueue(public_id: UUID) -> None:
    from genomepath.tasks import execute_run

    try:
        execute_run.delay(str(public_id))
    except BrokerError:  # the run is committed and waits; the reaper queues it again when the broker is back
        logger.exception("run %s could not be queued now", public_id)


def has_fresh_heartbeat(run: TrainingRun) -> bool:
    """Whether a process has reported on the run within the limit."""
    return run.heartbeat_at is not None and run.heartbeat_at > timezone.now() - heartbeat_limit()
