"""`manage.py seal_audit_log`: the sealer of the audit log, a process that runs beside the site."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit.sealer_process import REFUSALS, ROUND_SECONDS, raise_alarm, run_sealer
from ethics.audit.sealing import Sealer


class Command(BaseCommand):
    """One leader at a time; further ones stand by."""

    help = "Give every committed event its leaf in the log's tree, sign the head and copy it to the heads file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="seal what is committed now, and end")
        parser.add_argument(
            "--interval", type=float, default=ROUND_SECONDS, help="seconds between rounds (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["interval"] <= 0:
            raise CommandError("--interval must be more than 0.")
        if options["once"]:
            self._once()
            return
        asked_to_stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked_to_stop.set())
        run_sealer(stopped=asked_to_stop.is_set, report=self._say, interval=options["interval"])

    def _once(self) -> None:
        sealer = Sealer()
        try:
            if sealer.lead():
                self._say(f"{sealer.seal()} events sealed")
            else:
                self._say("another sealer is at work")
        except REFUSALS as refusal:
            sealer.resign()
            raise_alarm(refusal)
            raise CommandError(str(refusal)) from refusal
        finally:
            sealer.resign()

    def _say(self, text: str) -> None:
        self.stdout.write(f"sealer: {text}")
        self.stdout.flush()
