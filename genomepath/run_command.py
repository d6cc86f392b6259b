"""What the commands that start a run share: options, execution here or by the worker, progress, exit code."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models import F, Max, Q
from tqdm import tqdm

from ethics.audit import command_audit_context
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind, RunState
from genomepath.run_execution import run_execute
from genomepath.runs import run_cancel, run_request, run_requeue


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that starts a run."""
    parser.add_argument(
        "--async", action="store_true", dest="in_worker", help="hand the run to the ML worker and return at once"
    )
    parser.add_argument("--no-progress", action="store_true", help="print no progress bar")


def run_start(
    *,
    kind: RunKind,
    in_worker: bool,
    show_progress: bool,
    model_version: ModelVersion | None = None,
    **request: Any,
) -> TrainingRun:
    """Request a run and carry it out here, unless the worker is to do it.

    Raises:
        CommandError: the request is not valid, or the run failed or was cancelled; the cause stands in the message.
    """
    with command_audit_context() as context:
        try:
            run = run_request(
                kind=kind,
                model_version=model_version,
                requested_by=getpass.getuser(),
                requested_role=context.actor_role,
                enqueue=in_worker,
                **request,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
    return run if in_worker else _execute_here(run, show_progress)


def run_continue(*, run: TrainingRun, show_progress: bool) -> TrainingRun:
    """Go on with a run that was cut off.

    Raises:
        CommandError: the run cannot be resumed, or failed again.
    """
    with command_audit_context():
        try:
            run_requeue(run=run)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
    return _execute_here(run, show_progress)


def _execute_here(run: TrainingRun, show_progress: bool) -> TrainingRun:
    pause = 0.2 if sys.stderr.isatty() else 15.0
    with tqdm(desc=run.kind.capitalize(), unit="step", mininterval=pause, disable=not show_progress) as bar:

        def observe(done: int, total: int, message: str) -> None:
            bar.total = total
            bar.set_postfix_str(message[:80], refresh=False)
            bar.update(done - bar.n)

        try:
            ended = run_execute(public_id=run.public_id, observer=observe)
        except KeyboardInterrupt as stop:  # cancelled, so that no worker goes on with what a person stopped
            with command_audit_context():
                run_cancel(run=run)
            hint = f" Go on with: train_genomepath --resume {run.public_id}" if run.kind == RunKind.TRAINING else ""
            raise CommandError(f"Stopped.{hint}") from stop
    if ended.state != RunState.SUCCEEDED:
        raise CommandError(f"The {ended.kind} {ended.state}: {ended.message}")
    return ended


def find_version(text: str | None) -> ModelVersion:
    """The version whose SHA-256 starts with ``text``; without it the one that was trained last.

    Raises:
        CommandError: none, or more than one.
    """
    if text is None:
        # Weights trained again are an old version: what counts is the training, not when they were first seen.
        trained = Max("runs__finished_at", filter=Q(runs__kind=RunKind.TRAINING, runs__state=RunState.SUCCEEDED))
        versions = ModelVersion.objects.annotate(trained_at=trained)
        latest = versions.order_by(F("trained_at").desc(nulls_last=True), "-created_at").first()
        if latest is None:
            raise CommandError("There is no model version yet: run train_genomepath first.")
        return latest
    found = list(ModelVersion.objects.filter(sha256__startswith=text.lower())[:2])
    if len(found) != 1:
        raise CommandError(f"{'No' if not found else 'More than one'} model version starts with {text!r}.")
    return found[0]
