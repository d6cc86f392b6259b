"""``manage.py load_bundled``: add what is missing of the bundled data."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from correlations.bundled.reader import BundledDataError
from correlations.catalogue import bundled_load
from ethics.audit import command_audit_context


class Command(BaseCommand):
    """Loads the bundled practices, targets, evidence and correlations. Existing rows stay as they are."""

    help = "Add what is missing of the bundled data; existing rows are never overwritten."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with command_audit_context():
                report = bundled_load()
        except BundledDataError as error:
            raise CommandError(f"The bundled data is broken: {error}") from error
        counts = asdict(report)
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        if report.is_empty:
            self.stdout.write("Nothing was missing.")
            return
        self.stdout.write("Added " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
