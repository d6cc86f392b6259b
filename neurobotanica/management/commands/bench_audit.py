"""`manage.py bench_audit`: how many events a second the audit log takes, sealing included."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from genomepath.ml.command_line import output_fault
from neurobotanica.audit_bench.measurement import AuditLoad, BenchFailed, measure_audit
from neurobotanica.embedded import EmbeddedServiceError


class Command(BaseCommand):
    """Writers and a real sealer in a database of their own."""

    help = (
        "Write events from several processes, one a transaction, with fsync and synchronous_commit on, while a sealer "
        "seals them; beside a hash chain under one lock, in turns. An embedded database is made for it and removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
        parser.add_argument("--writers", type=int, default=8, metavar="N", help="processes (default: 8)")
        parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of each round (default: 10)")
        parser.add_argument("--rounds", type=int, default=3, metavar="N", help="log and chain in turns (default: 3)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, write and print."""
        if not (1 <= options["writers"] <= 64 and 0 < options["seconds"] <= 600 and 1 <= options["rounds"] <= 20):
            raise CommandError("--writers is from 1 to 64, --seconds up to 600, --rounds from 1 to 20.")
        target: Path | None = options["json"]
        if target is not None and (fault := output_fault(target)):
            raise CommandError(fault)
        load = AuditLoad(options["writers"], options["seconds"], options["rounds"])
        try:
            report = measure_audit(load=load, home=settings.NEUROBOTANICA_HOME, progress=self._progress)
        except (BenchFailed, EmbeddedServiceError) as error:
            raise CommandError(str(error)) from error
        if target is not None:
            target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self.stdout.write(_summary(report))

    def _progress(self, text: str) -> None:
        self.stderr.write(text)


def _summary(report: dict[str, Any]) -> str:
    machine = report["machine"]
    return (
        f"log {report['log_events_per_second']:.0f} events/s, hash chain under one lock "
        f"{report['chain_events_per_second']:.0f} events/s: {report['log_to_chain']} times\n"
        f"largest lag of sealing {report['largest_lag_seconds']} s, after the last write all was sealed in "
        f"{report['seconds_until_all_sealed']} s\n"
        f"{report['load']['writers']} writers on {machine['cores']} cores, load average {machine['load_average']}; "
        f"fsync {machine['fsync']}, synchronous_commit {machine['synchronous_commit']}"
    )
