"""Carrying out a run, from its take-up to its recorded end.

A run is executed by whichever process calls ``run_execute``: the ML worker, or a command without ``--async``. Redelivery of
a task is harmless: a finished run is left alone, a running one with a fresh heartbeat too, and a training that was cut
off goes on from its last saved epoch. Each take-up is an attempt with a number; a process whose attempt is no longer the
current one (it was thought dead and another took over) can neither report nor end the run.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ethics import audit
from ethics.audit import AuditContext, audit_context
from ethics.redaction import without_row_content
from genomepath.heartbeats import heartbeat
from genomepath.models import TrainingRun
from genomepath.models.training_run import RunKind, RunState
from genomepath.runs import ENDED, has_fresh_heartbeat

logger = logging.getLogger(__name__)

# A run marked as lost is still its worker's while nobody else has taken it up: the worker may only have been slow.
_WORKED_ON = (RunState.RUNNING.value, RunState.LOST.value)
_MAX_LOG = 200_000

Observer = Callable[[int, int, str], None]


class RunInterrupted(Exception):
    """The run was cancelled, or another process has taken it up: this one must stop and write nothing more."""


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
            with heartbeat(lambda: _still_works(run), str(run.public_id)):
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


@transaction.atomic
def _claim(public_id: UUID) -> TrainingRun | None:
    run = TrainingRun.objects.select_for_update().get(public_id=public_id)
    if run.state in ENDED or (run.state == RunState.RUNNING and has_fresh_heartbeat(run)):
        return None
    run.state = RunState.RUNNING.value
    run.attempt += 1
    run.started_at = run.started_at or timezone.now()
    run.heartbeat_at = timezone.now()
    run.save(update_fields=["state", "attempt", "started_at", "heartbeat_at"])
    return run


def _attempt_of(run: TrainingRun) -> QuerySet[TrainingRun]:
    """The row as long as it is being worked on by this very attempt; nothing otherwise."""
    return TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt, state__in=_WORKED_ON)


def _still_works(run: TrainingRun) -> None:
    now = timezone.now()
    if not _attempt_of(run).update(state=RunState.RUNNING.value, heartbeat_at=now):
        # It stops at its next report, which may be minutes away: a withdrawal waits for it until then.
        cancelled = TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt, state=RunState.CANCELLED.value)
        cancelled.update(heartbeat_at=now)


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
