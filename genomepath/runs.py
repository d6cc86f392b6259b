"""Runs: pieces of work for the ML worker, from the request to the end.

A run is executed by whichever process calls ``run_execute``: the ML worker, or a command without ``--async``. Redelivery of
a task is harmless: a finished run is left alone, a running one with a fresh heartbeat too, and a training that was cut
off goes on from its last saved epoch.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from ethics import audit
from ethics.audit import AuditContext, audit_context
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind, RunState

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
HEARTBEAT_LIMIT = timedelta(seconds=30)
PRESETS = ("spec", "small")
_ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
_MAX_LOG = 200_000


Observer = Callable[[int, int, str], None]


class RunCancelled(Exception):
    """The run was cancelled while it worked."""


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
        ValidationError: unknown preset, a run of this kind without its model version, or a field that does not fit.
    """
    if preset not in PRESETS:
        raise ValidationError({"preset": f"Unknown preset; choose one of {', '.join(PRESETS)}."})
    if kind != RunKind.TRAINING and model_version is None:
        raise ValidationError({"model_version": f"An {kind.value} needs a model version."})
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
        transaction.on_commit(lambda: _enqueue(run.public_id))
    return run


def run_execute(*, public_id: UUID, observer: Observer | None = None) -> TrainingRun:
    """Carry out a run and note its end. Every exception ends in a terminal state with its cause.

    ``observer`` is called with (steps done, steps in all, message) at each report: a command's progress bar.
    """
    run = _claim(public_id)
    if run is None:
        return TrainingRun.objects.get(public_id=public_id)
    context = AuditContext(run.requested_by, run.requested_role, request_id=run.request_id)
    with audit_context(context):
        try:
            with _heartbeat(run):
                _carry_out(run, observer)
        except RunCancelled:
            _finish(run, RunState.CANCELLED, message="Cancelled.")
        except Exception as error:  # the boundary where every cause becomes a recorded end
            logger.exception("run %s failed", run.public_id)
            _fail(run, error)
        else:
            _succeed(run)
    run.refresh_from_db()
    return run


@transaction.atomic
def run_requeue(*, run: TrainingRun) -> None:
    """Open a run again that was lost, failed or cancelled: it goes on from its last saved epoch.

    Raises:
        ValidationError: the run waits, works, or has ended well.
    """
    locked = TrainingRun.objects.select_for_update().get(pk=run.pk)
    stale = locked.heartbeat_at is None or locked.heartbeat_at <= timezone.now() - HEARTBEAT_LIMIT
    if locked.state in {RunState.QUEUED, RunState.SUCCEEDED} or (locked.state == RunState.RUNNING and not stale):
        raise ValidationError(f"A {locked.state} run cannot be resumed.")
    locked.state, locked.error, locked.finished_at = RunState.QUEUED.value, "", None
    locked.message = "Resumed."
    locked.save(update_fields=["state", "error", "finished_at", "message"])
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
    if locked.state in _ENDED:
        raise ValidationError(f"The run has ended already: {locked.state}.")
    locked.state = RunState.CANCELLED.value
    locked.finished_at = timezone.now()
    locked.message = "Cancelled."
    locked.save(update_fields=["state", "finished_at", "message"])
    audit.record("training.failed", subjects=[locked.public_id], reason="cancelled", details={"kind": locked.kind})


@transaction.atomic
def runs_reap_lost() -> int:
    """Mark running runs whose worker stopped reporting as lost, and queue them again; returns how many."""
    limit = timezone.now() - HEARTBEAT_LIMIT
    lost = TrainingRun.objects.select_for_update(skip_locked=True).filter(
        state=RunState.RUNNING.value, heartbeat_at__lt=limit
    )
    count = 0
    for run in lost:
        run.state = RunState.LOST.value
        run.message = "The worker stopped reporting; the run was queued again."
        run.save(update_fields=["state", "message"])
        transaction.on_commit(lambda public_id=run.public_id: _enqueue(public_id))  # type: ignore[misc]
        count += 1
    return count


class RunReporter:
    """Writes progress, heartbeat and log lines of a run, and stops it when it was cancelled."""

    def __init__(self, run: TrainingRun, observer: Observer | None = None) -> None:
        self._run = run
        self._observer = observer

    def progress(self, done: int, total: int, message: str) -> None:
        """Report a step.

        Raises:
            RunCancelled: the run was cancelled meanwhile.
        """
        updated = TrainingRun.objects.filter(pk=self._run.pk, state=RunState.RUNNING.value).update(
            progress_done=min(done, total), progress_total=total, message=message[:300], heartbeat_at=timezone.now()
        )
        if not updated:
            raise RunCancelled
        if self._observer is not None:
            self._observer(done, total, message)
        self.log(message)

    def log(self, line: str) -> None:
        """Append a line to the run's log. Log lines hold numbers and identifiers, never knowledge."""
        run = TrainingRun.objects.only("log").get(pk=self._run.pk)
        text = f"{run.log}{timezone.now():%H:%M:%S} {line}\n"
        TrainingRun.objects.filter(pk=self._run.pk).update(log=text[-_MAX_LOG:])


def _enqueue(public_id: UUID) -> None:
    from genomepath.tasks import execute_run

    execute_run.delay(str(public_id))


@transaction.atomic
def _claim(public_id: UUID) -> TrainingRun | None:
    run = TrainingRun.objects.select_for_update().get(public_id=public_id)
    fresh = run.heartbeat_at is not None and run.heartbeat_at > timezone.now() - HEARTBEAT_LIMIT
    if run.state in _ENDED or (run.state == RunState.RUNNING and fresh):
        return None
    run.state = RunState.RUNNING.value
    run.started_at = run.started_at or timezone.now()
    run.heartbeat_at = timezone.now()
    run.save(update_fields=["state", "started_at", "heartbeat_at"])
    return run


@contextmanager
def _heartbeat(run: TrainingRun) -> Iterator[None]:
    """Report every few seconds that this process lives, whatever the work is busy with."""
    ended = Event()

    def beat() -> None:
        try:
            while not ended.wait(HEARTBEAT_SECONDS):
                TrainingRun.objects.filter(pk=run.pk, state=RunState.RUNNING.value).update(heartbeat_at=timezone.now())
        finally:
            connection.close()

    thread = Thread(target=beat, name=f"heartbeat-{run.public_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _carry_out(run: TrainingRun, observer: Observer | None) -> None:
    from genomepath import work

    steps: dict[str, Callable[[TrainingRun, RunReporter], None]] = {
        RunKind.TRAINING: work.train,
        RunKind.EVALUATION: work.evaluate,
        RunKind.PUBLICATION: work.publish,
    }
    steps[run.kind](run, RunReporter(run, observer))


@transaction.atomic
def _succeed(run: TrainingRun) -> None:
    _finish(run, RunState.SUCCEEDED)
    run.refresh_from_db()
    audit.record(
        "training.completed",
        subjects=[run.public_id],
        details={"kind": run.kind, "data_sha256": run.data_sha256},
    )


@transaction.atomic
def _fail(run: TrainingRun, error: Exception) -> None:
    messages = error.messages if isinstance(error, ValidationError) else [str(error) or type(error).__name__]
    _finish(
        run,
        RunState.FAILED,
        message=" ".join(messages)[:300],
        error="".join(traceback.format_exception(error))[-20_000:],
    )
    audit.record("training.failed", subjects=[run.public_id], reason=type(error).__name__, details={"kind": run.kind})


def _finish(run: TrainingRun, state: RunState, **fields: Any) -> None:
    TrainingRun.objects.filter(pk=run.pk).exclude(state=RunState.CANCELLED.value).update(
        state=state.value, finished_at=timezone.now(), heartbeat_at=timezone.now(), **fields
    )
