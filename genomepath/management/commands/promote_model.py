"""``manage.py promote_model``: gate, publish, put into service."""

from __future__ import annotations

import getpass
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from genomepath.registry import model_promote
from genomepath.run_command import find_version


class Command(BaseCommand):
    """Promotes a model version through the gate."""

    help = "Put a model version into service if the gate lets it pass; the newest unless --model is given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", metavar="SHA256", help="the version, by the start of its SHA-256")
        parser.add_argument("--json", action="store_true", help="print the gate's decision as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        version = find_version(options["model"])
        with command_audit_context():
            try:
                promoted = model_promote(version=version, promoted_by=getpass.getuser())
            except ValidationError as error:
                raise CommandError("\n".join(error.messages)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"model": promoted.sha256, **promoted.gate}))
            return
        for rule in promoted.gate["rules"]:
            mark = "passed" if rule["passed"] else "waived for the first model"
            self.stdout.write(f"  {rule['name']}: {mark} ({rule['detail']})")
        note = " It is provisional: a baseline beats it." if promoted.provisional else ""
        self.stdout.write(f"Model version {promoted.sha256[:12]} is in service.{note}")
