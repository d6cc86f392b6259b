"""`manage.py services start|stop|status`: the embedded PostgreSQL and Valkey of NEUROBOTANICA_HOME."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from neurobotanica.bootstrap import home_folder
from neurobotanica.embedded import EmbeddedServiceError, services_status
from neurobotanica.embedded.__main__ import run_action


class Command(BaseCommand):
    """Start, stop or describe the embedded services."""

    help = (
        "Start, stop or describe the embedded PostgreSQL and Valkey of NEUROBOTANICA_HOME (default: .local). "
        "Servers that DATABASE_URL and REDIS_URL name are never touched."
    )
    # The checks need the database that this command may be about to start.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("start", "stop", "status"))
        parser.add_argument("--json", action="store_true", help="with status: print the state as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the action; the exit code is 1 when it failed, or when status finds a service that doesn't run."""
        try:
            if options["json"] and options["action"] == "status":
                states = services_status(home_folder())
                self.stdout.write(json.dumps([asdict(state) for state in states], indent=2))
                code = 0 if all(state.running for state in states) else 1
            else:
                code = run_action(options["action"], home_folder(), self.stdout.write)
        except EmbeddedServiceError as error:
            raise CommandError(str(error)) from error
        if code:
            raise SystemExit(code)
