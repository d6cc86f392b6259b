"""Runs: pieces of work for the ML worker, from the request to the end.

A run is executed by whichever process calls ``run_execute``: the ML worker, or a command without ``--async``. Redelivery of
a task is harmless: a finished run is left alone, a running one with a fresh heartbeat too, and a training that was cut
off goes on from its last saved epoch. Each take-up is an attempt with a number; a process whose attempt is no longer the
current one (it was thought dead and another took over) can neither report nor end the run.
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

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from ethics import audit
from ethics.audit import AuditContext, audit_context
from ethics.redaction import without_row_content
from genomepath.ml.config import ConfigError, preset_config
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind, RunState

logger = logging.getLogger(__name__)

# A waiting run is put into the queue again after so long: its message may have been lost with the broker.
QUEUE_PATIENCE = timedelta(minutes=5)
PRESETS = ("spec", "small")
_ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
# A run marked as lost is still its worker's while nobody else has taken it up: the worker may only have been slow.
_WORKED_ON = (RunState.RUNNING.value, RunState.LOST.value)
_MAX_LOG = 200_000


Observer = Callable[[int, int, str], None]


class RunInterrupted(Exception):
    """The run was cancelled, or another process has taken it up: this one must stop and write nothing more."""


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
        except RunInterrupted:
            logger.info("run %s was cancelled or taken up elsewhere; attempt %s stops", run.public_id, run.attempt)
        except Exception as error:  # the boundary where every cause becomes a recorded end
            # A refused request is its asker's to mend; anything else is ours, and its traceback belongs in the log.
            logger.warning("run %s failed", run.public_id, exc_info=not isinstance(error, ValidationError))
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
    if locked.state in {RunState.QUEUED, RunState.SUCCEEDED} or (
        locked.state == RunState.RUNNING and _has_fresh_heartbeat(locked)
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
    if locked.state in _ENDED:
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


class RunReporter:
    """Writes progress, heartbeat and log lines of a run, and stops it when it was cancelled."""

    def __init__(self, run: TrainingRun, observer: Observer | None = None) -> None:
        self._run = run
        self._observer = observer

    def progress(self, done: int, total: int, message: str) -> None:
        """Report a step.

        Raises:
            RunInterrupted: the run was cancelled meanwhile, or another process has taken it up.
        """
        updated = _attempt_of(self._run).update(
            state=RunState.RUNNING.value,
            progress_done=min(done, total),
            progress_total=total,
            message=message[:300],
            heartbeat_at=timezone.now(),
        )
        if not updated:
            raise RunInterrupted
        if self._observer is not None:
            self._observer(done, total, message)
        self.log(message)

    def log(self, line: str) -> None:
        """Append a line to the run's log. Log lines hold numbers and identifiers, never knowledge."""
        run = TrainingRun.objects.only("log").get(pk=self._run.pk)
        text = f"{run.log}{timezone.now():%H:%M:%S} {line}\n"
        TrainingRun.objects.filter(pk=self._run.pk).update(log=text[-_MAX_LOG:])


def _enqueue_on_commit(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(queued_at=timezone.now())
    transaction.on_commit(lambda: _enqueue(run.public_id))


def _enqueue(public_id: UUID) -> None:
    from genomepath.tasks import execute_run

    try:
        execute_run.delay(str(public_id))
    except BrokerError:  # the run is committed and waits; the reaper queues it again when the broker is back
        logger.exception("run %s could not be queued now", public_id)


@transaction.atomic
def _claim(public_id: UUID) -> TrainingRun | None:
    run = TrainingRun.objects.select_for_update().get(public_id=public_id)
    if run.state in _ENDED or (run.state == RunState.RUNNING and _has_fresh_heartbeat(run)):
        return None
    run.state = RunState.RUNNING.value
    run.attempt += 1
    run.started_at = run.started_at or timezone.now()
    run.heartbeat_at = timezone.now()
    run.save(update_fields=["state", "attempt", "started_at", "heartbeat_at"])
    return run


def _has_fresh_heartbeat(run: TrainingRun) -> bool:
    return run.heartbeat_at is not None and run.heartbeat_at > timezone.now() - heartbeat_limit()


def _attempt_of(run: TrainingRun) -> QuerySet[TrainingRun]:
    """The row as long as it is being worked on by this very attempt; nothing otherwise."""
    return TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt, state__in=_WORKED_ON)


@contextmanager
def _heartbeat(run: TrainingRun) -> Iterator[None]:
    """Report several times within the limit that this process lives, whatever the work is busy with."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(heartbeat_limit().total_seconds() / 6):
            try:
                _attempt_of(run).update(state=RunState.RUNNING.value, heartbeat_at=timezone.now())
            except (OperationalError, InterfaceError):
                logger.exception("the heartbeat of run %s could not be written", run.public_id)
                connection.close()
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
    if _finish(run, RunState.SUCCEEDED):
        run.refresh_from_db()
        audit.record(
            "training.completed",
            subjects=[run.public_id],
            details={"kind": run.kind, "data_sha256": run.data_sha256},
        )


@transaction.atomic
def _fail(run: TrainingRun, error: Exception) -> None:
    messages = error.messages if isinstance(error, ValidationError) else [str(error) or type(error).__name__]
    cause = without_row_content("".join(traceback.format_exception(error)))[-20_000:]
    ended = _finish(
        run,
        RunState.FAILED,
        message=without_row_content(" ".join(messages)).replace("\0", "")[:300],
        error=cause.replace("\0", ""),  # PostgreSQL stores no NUL
    )
    if ended:
        audit.record(
            "training.failed", subjects=[run.public_id], reason=type(error).__name__, details={"kind": run.kind}
        )


def _finish(run: TrainingRun, state: RunState, **fields: Any) -> bool:
    """End the run, unless it was cancelled or taken up elsewhere; whether this attempt ended it."""
    now = timezone.now()
    return bool(_attempt_of(run).update(state=state.value, finished_at=now, heartbeat_at=now, **fields))
