"""``manage.py train_genomepath``: snapshot, train, register a candidate."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genomepath.models import TrainingRun
from genomepath.models.training_run import RunKind, RunState
from genomepath.run_command import add_run_options, run_continue, run_start
from genomepath.runs import PRESETS


class Command(BaseCommand):
    """Trains the dual-tower model on what the policy allows."""

    help = "Train a model version on the knowledge that the policy allows for training."

    def add_arguments(self, parser: CommandParser) -> None:
        add_run_options(parser)
        parser.add_argument("--preset", choices=PRESETS, help="spec unless given")
        parser.add_argument("--seed", type=int, help="0 unless given")
        parser.add_argument("--epochs", type=int, help="at most so many epochs (default: the preset's 50)")
        parser.add_argument("--include-drafts", action="store_true", help="train on unreviewed correlations as well")
        parser.add_argument("--resume", metavar="RUN", help="go on with a run that was cut off, by its id or its start")
        parser.add_argument("--json", action="store_true", help="print the run and its model version as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_bad_options(options)
        if options["resume"] is not None:
            run = run_continue(run=self._find_run(options["resume"]), show_progress=not options["no_progress"])
        else:
            run = run_start(
                kind=RunKind.TRAINING,
                in_worker=options["in_worker"],
                show_progress=not options["no_progress"],
                preset=options["preset"] or "spec",
                seed=options["seed"] or 0,
                include_drafts=options["include_drafts"],
                parameters={} if options["epochs"] is None else {"hyperparameters": {"epochs": options["epochs"]}},
            )
        self._report(run, as_json=options["json"])

    def _find_run(self, text: str) -> TrainingRun:
        found = [
            run for run in TrainingRun.objects.filter(kind=RunKind.TRAINING) if str(run.public_id).startswith(text)
        ]
        if len(found) != 1:
            raise CommandError(f"{'No' if not found else 'More than one'} training run starts with {text!r}.")
        return found[0]

    def _report(self, run: TrainingRun, *, as_json: bool) -> None:
        sha256 = run.model_version.sha256 if run.model_version else ""
        if as_json:
            facts = {"run": str(run.public_id), "state": run.state, "model": sha256, "data_sha256": run.data_sha256}
            self.stdout.write(json.dumps(facts))
        elif run.state == RunState.QUEUED:
            self.stdout.write(f"Run {run.public_id} waits for the ML worker.")
        else:
            self.stdout.write(f"Trained model version {sha256[:12]} on data {run.data_sha256[:12]}.")


def _refuse_bad_options(options: dict[str, Any]) -> None:
    if options["seed"] is not None and options["seed"] < 0:
        raise CommandError("--seed must not be negative.")
    if options["resume"] is None:
        return
    if options["in_worker"]:
        raise CommandError("--resume goes on here and now: leave --async out.")
    of_a_new_run = [name for name in ("preset", "seed", "epochs") if options[name] is not None]
    if options["include_drafts"]:
        of_a_new_run.append("include_drafts")
    if of_a_new_run:
        names = ", ".join("--" + name.replace("_", "-") for name in of_a_new_run)
        raise CommandError(f"--resume goes on with what the run began with: leave {names} out.")
