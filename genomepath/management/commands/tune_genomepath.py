"""``manage.py tune_genomepath``: the specified grid of hyperparameters, its points fanned out over the ML workers."""

from __future__ import annotations

import getpass
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ethics.audit import command_audit_context
from genomepath.models import TuningStudy
from genomepath.models.tuning import PointState
from genomepath.runs import PRESETS
from genomepath.tuning import (
    is_worked_on,
    ml_worker_answers,
    open_points,
    tuning_points_requeue,
    tuning_study_find_or_request,
)
from genomepath.tuning_processes import TuningProcesses, tuning_processes
from genomepath.tuning_results import tuning_json_write, tuning_report_write, tuning_summary

_POLL_SECONDS, _WORKER_PATIENCE_SECONDS = 0.5, 60.0
NO_WORKER = (
    "No worker of the ML queue answers. Start one (celery -A neurobotanica worker --queues ml), or train here with "
    "--in-process 2. The study is kept: a worker that runs later takes up what is left, and so does the same command."
)


class Command(BaseCommand):
    """Goes on where an earlier call with the same options, data and code was cut off; does nothing twice."""

    help = (
        "Train every point of the specified grid (learning rate, batch, dropout, bridge: 108) on the training side of one "
        "P1 split and say what mattered. Points are handed to the ML workers; called again, it goes on with what is left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--preset", choices=PRESETS, default="small")
        parser.add_argument("--seed", type=int, default=0, help="of the split and of every point")
        parser.add_argument("--epochs", type=int, help="at most so many for a point (default: the preset's 50)")
        parser.add_argument("--include-drafts", action="store_true", help="train on unreviewed correlations as well")
        parser.add_argument(
            "--in-process",
            type=int,
            metavar="N",
            default=0,
            help="train in N processes of this command, without a worker",
        )
        parser.add_argument("--retry-failed", action="store_true", help="train points again that failed")
        parser.add_argument("--json", metavar="FILE", type=Path, help="write every point with its numbers to this file")
        parser.add_argument(
            "--report", metavar="DIR", type=Path, help="write TUNING_REPORT.md, and the same as one page"
        )
        parser.add_argument("--no-progress", action="store_true", help="print no progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_bad_options(options)
        with command_audit_context() as context:
            try:
                study = tuning_study_find_or_request(
                    preset=options["preset"],
                    seed=options["seed"],
                    epochs=options["epochs"],
                    include_drafts=options["include_drafts"],
                    requested_by=getpass.getuser(),
                    requested_role=context.actor_role,
                )
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
            if options["retry_failed"]:
                tuning_points_requeue(study=study, failed=True)
            try:
                _train(study, options)
            except KeyboardInterrupt as stop:
                raise CommandError("Stopped. Run the same command again: it goes on with what is left.") from stop
        study.refresh_from_db()
        self._tell(study, options)

    def _tell(self, study: TuningStudy, options: dict[str, Any]) -> None:
        try:
            if options["json"]:
                tuning_json_write(study, options["json"])
            if options["report"] and study.points.filter(state=PointState.DONE.value).exists():
                files = tuning_report_write(study, options["report"])
                self.stdout.write(f"Wrote {', '.join(str(file) for file in files)}.")
        except OSError as error:
            raise CommandError(f"The result could not be written: {error}") from error
        self.stdout.write(tuning_summary(study))
        failed = study.points.filter(state=PointState.FAILED.value).order_by("number").first()
        if failed is not None:
            raise CommandError(f"Points failed, the first with: {failed.error}. Train them again with --retry-failed.")


def _train(study: TuningStudy, options: dict[str, Any]) -> None:
    if not open_points(study).exists():
        return
    with ExitStack() as stack:
        processes = None
        if options["in_process"]:
            processes = stack.enter_context(tuning_processes(study.public_id, options["in_process"]))
        elif not (ml_worker_answers() or is_worked_on(study)):
            raise CommandError(NO_WORKER)
        bar = stack.enter_context(_bar(study, is_shown=not options["no_progress"]))
        _wait(study, bar, processes)


def _wait(study: TuningStudy, bar: tqdm[Any], processes: TuningProcesses | None) -> None:
    """Until no point is open. Raises CommandError where nobody is left who could train the rest."""
    answered_at = time.monotonic()
    while left := open_points(study).count():
        bar.update(bar.total - left - bar.n)
        if processes is not None:
            if not processes.any_works():
                raise CommandError("The processes ended before all points were trained. Run the same command again.")
        else:
            tuning_points_requeue(study=study)
            if is_worked_on(study) or ml_worker_answers():
                answered_at = time.monotonic()
            elif time.monotonic() - answered_at > _WORKER_PATIENCE_SECONDS:
                raise CommandError(NO_WORKER)
        time.sleep(_POLL_SECONDS)
    bar.update(bar.total - bar.n)


def _bar(study: TuningStudy, *, is_shown: bool) -> tqdm[Any]:
    total = study.points.count()
    pause = 0.2 if sys.stderr.isatty() else 15.0
    return tqdm(
        desc="Tuning", unit="point", total=total, initial=total - open_points(study).count(), mininterval=pause,
        disable=not is_shown,
    )  # fmt: skip


def _refuse_bad_options(options: dict[str, Any]) -> None:
    if options["seed"] < 0:
        raise CommandError("--seed must not be negative.")
    if not 0 <= options["in_process"] <= 64:
        raise CommandError("--in-process must be from 1 to 64.")
    target, folder = options["json"], options["report"]
    if target is not None and (target.is_dir() or not target.resolve().parent.is_dir()):
        raise CommandError(f"{target} cannot be written: it is a folder, or its folder does not exist.")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file: --report wants a folder.")
