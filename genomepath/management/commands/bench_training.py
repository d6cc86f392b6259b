"""``manage.py bench_training``: how long a training takes, beside one that goes correlation by correlation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from genomepath.artefacts import snapshot_folder
from genomepath.ml.command_line import output_fault
from genomepath.runs import PRESETS
from genomepath.snapshot_folders import snapshot_keep


class Command(BaseCommand):
    """Measure the training."""

    help = (
        "Train on what the policy allows: all epochs by matrix rows, then a few epochs by rows and correlation by "
        "correlation with the same optimiser steps. Prints seconds, how many times faster rows are, the MRR that both reach "
        "on validation pairs, and peak memory. Exit code 1 where rows reach a clearly lower MRR than the loop."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--preset", choices=PRESETS, default="spec")
        parser.add_argument("--epochs", type=int, default=50, metavar="N", help="of the whole training (default: 50)")
        parser.add_argument(
            "--loop-epochs", type=int, default=2, metavar="N", help="of the comparison with the loop (default: 2)"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--include-drafts", action="store_true")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, write and print."""
        for name in ("epochs", "loop_epochs"):
            if not 1 <= options[name] <= 500:
                raise CommandError(f"--{name.replace('_', '-')} must be from 1 to 500.")
        if options["seed"] < 0:
            raise CommandError("--seed must not be negative.")
        target: Path | None = options["json"]
        if target is not None and (fault := output_fault(target)):
            raise CommandError(fault)
        report = self._measure(options)
        self.stdout.write(_table(report))
        if target is not None:
            try:
                target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"Measured, but {target} could not be written: {error.strerror}.") from error
        if not report["equal_quality"]:
            raise CommandError("Training by rows reached a lower MRR than correlation by correlation.")

    def _measure(self, options: dict[str, Any]) -> dict[str, Any]:
        from genomepath.ml.config import preset_config
        from genomepath.ml.dataset import DatasetError
        from genomepath.ml.snapshot import SnapshotError
        from genomepath.ml.splits import SplitError
        from genomepath.ml.training_bench import BenchInputs, measure_training
        from genomepath.ml.tuning import tuning_data

        with command_audit_context():
            try:
                _, manifest = snapshot_keep(owner=f"bench-{uuid4()}", include_drafts=options["include_drafts"])
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from error
        try:
            data = tuning_data(snapshot_folder(manifest["data_sha256"]), options["seed"])
        except (SnapshotError, DatasetError, SplitError) as error:
            raise CommandError(f"Nothing was measured: {error}.") from error
        config = preset_config(options["preset"], epochs=options["epochs"])
        inputs = BenchInputs(data.features, data.truth, data.split, config, options["seed"])
        return measure_training(
            inputs, loop_epochs=options["loop_epochs"], tell=lambda text: self.stderr.write(f"{text} ...")
        )


def _table(report: dict[str, Any]) -> str:
    rows, loop = report["rows"], report["correlation_by_correlation"]
    lines = [
        ("preset, correlations", f"{report['preset']}, {report['correlations']}"),
        (
            f"{report['epochs']} epochs by matrix rows",
            f"{report['whole_seconds']:.1f} s, {report['whole_cpu_seconds']:.1f} s of processor (30 s wanted at spec)",
        ),
        (f"{rows['steps']} steps by matrix rows", f"{rows['seconds']:.2f} s, MRR {100 * rows['mrr']:.1f}"),
        (f"{loop['steps']} steps by correlations", f"{loop['seconds']:.2f} s, MRR {100 * loop['mrr']:.1f}"),
        ("times faster", f"{report['times']:.1f} (10 wanted)"),
        ("peak memory", f"{report['peak_mib_by_rows']:.0f} MiB by rows, {report['peak_mib']:.0f} MiB in all"),
    ]
    return "\n".join(f"{name:<28}{value}" for name, value in lines)
