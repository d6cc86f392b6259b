"""``manage.py export_training_set DIR``: what the policy allows for training, ready to load elsewhere."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from genomepath.ml.splits import SplitError
from genomepath.training_set import training_set_export


class Command(BaseCommand):
    """Exports the training set; the audit log notes it."""

    help = "Write snapshot, train, validation and test files to an empty folder; they load without pickle."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--include-drafts", action="store_true")
        parser.add_argument(
            "--recipient",
            default=getpass.getuser(),
            help="whom the export is for; told when something in it is withdrawn (default: the account's name)",
        )
        parser.add_argument("--json", action="store_true", help="print the manifest as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CommandError(f"{folder} exists and is not an empty folder.")
        if options["seed"] < 0:
            raise CommandError("--seed must not be negative.")
        try:
            with command_audit_context():
                manifest, counts = training_set_export(
                    folder=folder,
                    seed=options["seed"],
                    include_drafts=options["include_drafts"],
                    recipient=options["recipient"],
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (OSError, SplitError) as error:
            raise CommandError(f"The training set could not be written: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps({**manifest, "sides": counts}))
        else:
            sides = ", ".join(f"{count} {side}" for side, count in counts.items())
            self.stdout.write(f"Wrote {sides} rows of data {manifest['data_sha256'][:12]} to {folder}.")
