"""``manage.py evaluate_genomepath``: judge a model version by the protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genomepath.artefacts import model_folder, read_json
from genomepath.models.training_run import RunKind
from genomepath.run_command import add_run_options, find_version, run_start

PROTOCOLS = ("P0", "P1", "P2", "P3")


class Command(BaseCommand):
    """Evaluates beside the baselines on data that the model did not see, and prints where the model loses."""

    help = "Judge a model version by the protocol, beside every baseline; the newest version unless --model is given."

    def add_arguments(self, parser: CommandParser) -> None:
        add_run_options(parser)
        parser.add_argument("--model", metavar="SHA256", help="the version, by the start of its SHA-256")
        parser.add_argument("--json", metavar="FILE", type=Path, help="write the whole evaluation to this file")
        parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=["P0", "P1"])
        parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one seed a repetition of the protocol")
        parser.add_argument("--workers", type=int, default=2, help="processes that folds run in")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path | None = options["json"]
        if target is not None and (target.is_dir() or not target.resolve().parent.is_dir()):
            raise CommandError(f"{target} cannot be written: it is a folder, or its folder does not exist.")
        if min(options["seeds"]) < 0:
            raise CommandError("--seeds must not be negative.")
        if target is not None and options["in_worker"]:
            raise CommandError("--json and --async exclude each other: the worker's result lies in the model folder.")
        version = find_version(options["model"])
        run = run_start(
            kind=RunKind.EVALUATION,
            in_worker=options["in_worker"],
            show_progress=not options["no_progress"],
            model_version=version,
            preset=version.preset,
            seed=version.seed,
            parameters={
                "protocols": sorted(set(options["protocols"])),
                "seeds": sorted(set(options["seeds"])),
                "workers": max(1, options["workers"]),
            },
        )
        if options["in_worker"]:
            self.stdout.write(f"Run {run.public_id} waits for the ML worker.")
            return
        folder = model_folder(version)
        if target is not None:
            content = json.dumps(read_json(folder / "evaluation.json"), indent=2, sort_keys=True)
            target.write_text(content + "\n", encoding="utf-8")
        self.stdout.write((folder / "evaluation.md").read_text(encoding="utf-8"))
