"""`manage.py bench_desk`: how long the pages of the compliance desk take over a large log, and their queries."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from genomepath.ml.command_line import output_fault
from neurobotanica.audit_bench.desk import PageFailed, measure_desk

MOST_MS, MOST_QUERIES = 200, 12
FEWEST_EVENTS, MOST_EVENTS = 1_000, 100_000_000


class Command(BaseCommand):
    """Measure the desk."""

    help = (
        "Fill a scratch database with synthetic events, seal them, and ask for every page of the compliance desk and for "
        "the event list by each filter. Reports the median time within the site and the number of queries of each page. "
        f"Exit code 1 where a median exceeds {MOST_MS} ms or a page makes more than {MOST_QUERIES} queries."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
        parser.add_argument("--events", type=int, default=1_000_000, metavar="N", help="in the log (default: 1000000)")
        parser.add_argument("--runs", type=int, default=15, metavar="N", help="of each page (default: 15)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, write and print."""
        events, runs, target = options["events"], options["runs"], options["json"]
        if not FEWEST_EVENTS <= events <= MOST_EVENTS:
            raise CommandError(f"--events must be from {FEWEST_EVENTS} to {MOST_EVENTS}.")
        if runs < 1:
            raise CommandError("--runs must be at least 1.")
        if target is not None and (fault := output_fault(target)):
            raise CommandError(fault)
        try:
            report = measure_desk(events=events, runs=runs, tell=self.stderr.write)
        except PageFailed as error:
            raise CommandError(str(error)) from error
        if target is not None:
            target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        for name, page in report["pages"].items():
            self.stdout.write(f"{name:<42} {page['median_ms']:>8.1f} ms {page['queries']:>3} queries")
        if report["slowest_median_ms"] > MOST_MS or report["most_queries"] > MOST_QUERIES:
            raise CommandError("A page of the desk takes too long, or too many queries.")
