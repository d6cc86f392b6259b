"""`manage.py bench_hidden_timing`: can the time of an answer tell a withheld practice from one that does not exist?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ethics.audit import command_audit_context
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience
from genomepath.ml.command_line import output_fault
from neurobotanica.serving_bench import ServerFailed
from neurobotanica.serving_bench.hidden_timing import WARM_UP, NothingHidden, measure_hidden_timing

FEWEST, MOST = 100, 1_000_000


class Command(BaseCommand):
    """Measure hidden and absent answers on a real server."""

    help = (
        "Start a real server against the current services, ask for withheld and for absent practices in random order, and "
        "report the AUC of classifiers on the times with 95% bootstrap intervals. 0.5 means that the time tells nothing. "
        "The requests are real: they are recorded in the audit log under the client 'Timing bench'. At least one practice "
        "must be withheld from the audience. Exit code 1 where an interval leaves 0.48 to 0.52."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
        parser.add_argument("--requests", type=int, default=20_000, metavar="N", help="in all (default: 20000)")
        parser.add_argument(
            "--audience",
            choices=[audience.value for audience in CLIENT_AUDIENCES],
            default=Audience.RESEARCH.value,
            help="of the client that asks (default: research)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, write and print."""
        requests, target = options["requests"], options["json"]
        if not FEWEST <= requests <= MOST:
            raise CommandError(f"--requests must be from {FEWEST} to {MOST}.")
        if target is not None and (fault := output_fault(target)):
            raise CommandError(fault)
        progress = tqdm(total=requests + WARM_UP, file=sys.stderr, disable=None, mininterval=0.5)
        try:
            with command_audit_context(), progress:
                report = measure_hidden_timing(
                    audience=Audience(options["audience"]), requests=requests, on_answer=progress.update
                )
        except (NothingHidden, ServerFailed, OSError) as error:
            raise CommandError(str(error) or type(error).__name__) from error
        if target is not None:
            target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        for name in ("auc_of_time", "auc_of_classifier"):
            auc = report[name]
            self.stdout.write(f"{name:<18} {auc['value']:.4f}, 95% interval {auc['low']:.4f} to {auc['high']:.4f}")
        self.stdout.write(
            f"median of hidden and absent: {report['median_ms']['hidden']} and {report['median_ms']['absent']} ms"
        )
        if not report["tells_nothing"]:
            raise CommandError("The time of an answer tells hidden from absent.")
