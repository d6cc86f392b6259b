"""`manage.py bench_serving`: latency and throughput of predictions on a real server."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ethics.audit import command_audit_context
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience
from genomepath.ml.command_line import output_fault
from genomepath.redis_bytes import RedisUnavailable
from neurobotanica.serving_bench import ServerFailed
from neurobotanica.serving_bench.measurement import Load, NothingToMeasure, measure_serving
from neurobotanica.serving_bench.plot import series_plot

MOST_TEXTS, MOST_RATE = 100_000, 100_000


class Command(BaseCommand):
    """Measure the prediction endpoint beside a keyed DRF view and a plain Django view."""

    help = (
        "Start real servers against the current services. Measure known predictions with a closed loop, in turns with a DRF "
        "view with key and throttle behind the site's middleware, and beside one without it and a plain Django view, "
        "which all return the same bytes; then known predictions and new texts at a rate, and the memory of a worker. "
        "Known are predictions answered within the last minute; the first answer is a series of its own. The "
        "requests are real: they are recorded in the audit log under the client 'Serving bench'."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")
        parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the series there, as SVG")
        parser.add_argument("--requests", type=int, default=2000, metavar="N", help="in each series (default: 2000)")
        parser.add_argument("--connections", type=int, default=4, metavar="N", help="at a time (default: 4)")
        parser.add_argument("--rate", type=float, default=300.0, metavar="R", help="a second, open loop (default: 300)")
        parser.add_argument("--texts", type=int, default=400, metavar="N", help="new texts, 0 for none (default: 400)")
        parser.add_argument(
            "--rounds", type=int, default=3, metavar="N", help="of API and keyed view, in turns (default: 3)"
        )
        parser.add_argument("--workers", type=int, default=1, metavar="N", help="server processes (default: 1)")
        parser.add_argument(
            "--audience",
            choices=[audience.value for audience in CLIENT_AUDIENCES],
            default=Audience.RESEARCH.value,
            help="of the client that asks (default: research)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, write and print."""
        load = _load(options)
        target, plot = options["json"], options["plot"]
        for file in (target, plot):
            if file is not None and (fault := output_fault(file)):
                raise CommandError(fault)
        try:
            with command_audit_context():
                report = measure_serving(
                    load=load, audience=Audience(options["audience"]), progress=_progress(load.requests)
                )
        except (NothingToMeasure, ServerFailed, RedisUnavailable, OSError) as error:
            raise CommandError(str(error) or type(error).__name__) from error
        except ExceptionGroup as group:
            raise CommandError(f"The load generator failed: {group.exceptions[0]!r}") from group
        if target is not None:
            target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        if plot is not None:
            plot.write_text(series_plot(report), encoding="utf-8")
        self.stdout.write(_table(report))
        if report["errors"]:
            raise CommandError("Some answers were not 200.")


def _load(options: dict[str, Any]) -> Load:
    for name, most in (("requests", 1_000_000), ("connections", 256), ("workers", 64), ("rounds", 100)):
        if not 1 <= options[name] <= most:
            raise CommandError(f"--{name} must be from 1 to {most}.")
    if not 0 <= options["texts"] <= MOST_TEXTS:
        raise CommandError(f"--texts must be from 0 to {MOST_TEXTS}.")
    if not 0 < options["rate"] <= MOST_RATE:
        raise CommandError(f"--rate must be above 0 and at most {MOST_RATE}.")
    names = ("requests", "connections", "workers", "rate", "texts", "rounds")
    return Load(**{name: options[name] for name in names})


def _progress(total: int) -> Callable[[str], Callable[[], object]]:
    return lambda name: tqdm(total=total, desc=name, file=sys.stderr, disable=None, mininterval=0.5).update


def _table(report: dict[str, Any]) -> str:
    columns = ("requests_per_second", "p50_ms", "p95_ms", "p99_ms", "max_ms", "errors")
    lines = [f"{'series':<34}" + "".join(f"{name:>20}" for name in columns)]
    lines += [f"{entry['name']:<34}" + "".join(f"{entry[name]:>20}" for name in columns) for entry in report["series"]]
    lines.append(
        f"API to keyed DRF view {report['api_to_drf_keyed']} (median of the rounds: "
        f"{', '.join(str(entry['ratio']) for entry in report['rounds'])}), to one without middleware "
        f"{report['api_to_drf_keyed_without_middleware']}, to plain Django view {report['api_to_plain_django']}; "
        f"ready after {report['cold_start_seconds']} s, {report['worker_mib']} MiB in the largest process;"
        f" fsync {report['machine']['fsync']}, "
        f"synchronous_commit {report['machine']['synchronous_commit']}"
    )
    if report["model_time"]:
        lines.append(
            "median of a new text: encoder {encoder_ms} ms, model {model_ms} ms, {ratio} times".format(
                **report["model_time"]
            )
        )
    return "\n".join(lines)
