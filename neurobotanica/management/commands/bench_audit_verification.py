"""`manage.py bench_audit_verification`: how fast the log is verified, and whether memory stays flat."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from genomepath.ml.command_line import output_fault
from neurobotanica.audit_bench.verification import LogNotRight, measure_verification


class Command(BaseCommand):
    """Verify a log of generated events beside a bare loop of SHA-256 over the same rows."""

    help = (
        "Fill a database of its own with generated events, seal them, and measure how fast verify_audit reads them, beside "
        "a bare loop of SHA-256 over the same rows in the same run. The database goes at the end; the log of the site is "
        "not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--events", type=int, default=1_000_000, metavar="N", help="default: 1000000")
        parser.add_argument("--runs", type=int, default=3, metavar="N", help="of both, in turn (default: 3)")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, write and print."""
        for name, most in (("events", 100_000_000), ("runs", 100)):
            if not 1 <= options[name] <= most:
                raise CommandError(f"--{name} must be from 1 to {most}.")
        target: Path | None = options["json"]
        if target is not None and (fault := output_fault(target)):
            raise CommandError(fault)
        try:
            report = measure_verification(
                events=options["events"], runs=options["runs"], tell=lambda text: self.stderr.write(f"{text} ...")
            )
        except LogNotRight as error:
            raise CommandError(f"The generated log was not found right: {error}") from error
        if target is not None:
            target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        self.stdout.write("\n".join(f"{name:<28}{value}" for name, value in report.items()))
