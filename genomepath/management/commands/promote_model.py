"""``manage.py promote_model``: gate, publish, put into service; or go back to a version that was in service before."""

from __future__ import annotations

import getpass
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from genomepath.models import ModelVersion
from genomepath.registry import model_promote, model_roll_back
from genomepath.run_command import find_version


class Command(BaseCommand):
    """Promotes a model version through the gate, or rolls back."""

    help = (
        "Put a model version into service if the gate lets it pass; the newest unless --model is given. With --rollback "
        "put one back that was in service before, without comparing it with the active one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", metavar="SHA256", help="the version, by the start of its SHA-256")
        parser.add_argument(
            "--rollback", action="store_true", help="go back to the version last in service, or to --model"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the gate's decision, or where one went back to, as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with command_audit_context():
            try:
                version = _roll_back(options["model"]) if options["rollback"] else _promote(options["model"])
            except ValidationError as error:
                raise CommandError("\n".join(error.messages)) from error
        if options["json"]:
            decision = {"provisional": version.provisional} if options["rollback"] else version.gate
            self.stdout.write(json.dumps({"model": version.sha256, **decision}))
            return
        for rule in [] if options["rollback"] else version.gate["rules"]:
            mark = "passed" if rule["passed"] else "waived for the first model"
            self.stdout.write(f"  {rule['name']}: {mark} ({rule['detail']})")
        again = " again" if options["rollback"] else ""
        note = " It is provisional: a baseline beats it." if version.provisional else ""
        self.stdout.write(f"Model version {version.sha256[:12]} is in service{again}.{note}")


def _promote(start: str | None) -> ModelVersion:
    return model_promote(version=find_version(start), promoted_by=getpass.getuser())


def _roll_back(start: str | None) -> ModelVersion:
    return model_roll_back(version=find_version(start) if start else None, rolled_back_by=getpass.getuser())
