"""``manage.py export_training_set DIR``: what may be handed out as training data, ready to load elsewhere."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from ethics.policy import Audience
from genomepath.export_credits import CREDITS
from genomepath.ml.splits import SplitError
from genomepath.training_set import WrittenTrainingSet, training_set_export


class Command(BaseCommand):
    """Exports the training set; the audit log notes it."""

    help = (
        "Write snapshot, train, validation and test files to an empty folder, with the attribution of every practice; they "
        "load without pickle. Only what may be handed to the recipient's audience is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--include-drafts", action="store_true")
        parser.add_argument(
            "--recipient",
            default=getpass.getuser(),
            help="whom the export is for; told when something in it is withdrawn (default: the account's name)",
        )
        parser.add_argument(
            "--audience",
            choices=[audience.value for audience in Audience],
            help="whom the recipient belongs to, for the policy (default: what research, commercial and community "
            "clients may all be handed); 'platform' is the platform's own work on another machine",
        )
        parser.add_argument("--json", action="store_true", help="print the manifest and the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CommandError(f"{folder} exists and is not an empty folder.")
        if options["seed"] < 0:
            raise CommandError("--seed must not be negative.")
        try:
            with command_audit_context():
                written = training_set_export(
                    folder=folder,
                    seed=options["seed"],
                    include_drafts=options["include_drafts"],
                    recipient=options["recipient"],
                    audience=Audience(options["audience"]) if options["audience"] else None,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (OSError, SplitError) as error:
            raise CommandError(f"The training set could not be written: {error}") from error
        self.stdout.write(_as_json(written) if options["json"] else _as_text(written, folder))


def _as_json(written: WrittenTrainingSet) -> str:
    return json.dumps(
        {
            **written.manifest,
            "sides": written.rows,
            "audiences": written.audiences,
            "left_out": written.left_out._asdict(),
        }
    )


def _as_text(written: WrittenTrainingSet, folder: Path) -> str:
    sides = ", ".join(f"{count} {side}" for side, count in written.rows.items())
    audiences = ", ".join(written.audiences)
    return (
        f"Wrote {sides} rows of data {written.manifest['data_sha256'][:12]} to {folder}. For: {audiences}; whose knowledge "
        f"it is stands in {CREDITS}.\n"
        f"Left out, because it may be trained on here and not be handed to all of them: practices "
        f"{written.left_out.practices}, correlations {written.left_out.correlations}."
    )
