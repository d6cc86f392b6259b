"""``manage.py evaluate_genomepath``: judge a model version by the protocol."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ethics.audit import command_audit_context
from genomepath.artefacts import evaluation_figures, model_folder
from genomepath.evaluation_report import (
    evaluation_report_write,
    prepare_folder,
    read_ablation,
    read_permutation,
    refuse_marked,
)
from genomepath.ml.command_line import output_fault
from genomepath.ml.permutation_test import PermutationResult
from genomepath.models import ModelVersion
from genomepath.models.training_run import RunKind
from genomepath.reporting.material import REPORTED_PROTOCOLS, Ablation
from genomepath.run_command import add_run_options, find_version, run_start

PROTOCOLS = ("P0", "P1", "P2", "P3")


class ReportExtras(TypedDict, total=False):
    """What a report holds besides the evaluation; measured by commands of its own."""

    ablation: Ablation | None
    permutation: PermutationResult | None


class Command(BaseCommand):
    """Evaluates beside the baselines on data that the model did not see, and prints where the model loses."""

    help = "Judge a model version by the protocol, beside every baseline; the newest version unless --model is given."

    def add_arguments(self, parser: CommandParser) -> None:
        add_run_options(parser)
        parser.add_argument("--model", metavar="SHA256", help="the version, by the start of its SHA-256")
        parser.add_argument(
            "--json",
            metavar="FILE",
            type=Path,
            help="write all figures of the evaluation to this file; its held-out pairs, which name practices, stay here",
        )
        parser.add_argument(
            "--report",
            metavar="DIR",
            type=Path,
            help="write MODEL_TRAINING_REPORT.md, the same as one HTML page, and MODEL_CARD.md; needs P1, P2 and P3",
        )
        parser.add_argument(
            "--stored", action="store_true", help="judge nothing: report on the evaluation that the version has"
        )
        parser.add_argument(
            "--ablation", metavar="FILE", type=Path, help="put what genomepath.ml.ablation --json wrote into the report"
        )
        parser.add_argument(
            "--permutation",
            metavar="FILE",
            type=Path,
            help="put what genomepath.ml.permutation_test --json wrote into the report",
        )
        parser.add_argument(
            "--figures-only",
            action="store_true",
            help="name no practice, community or source in the report, so that it may go where the data may not",
        )
        parser.add_argument(
            "--recipient",
            default=getpass.getuser(),
            help="whom the report is for; told when a practice named in it is withdrawn (default: the account's name)",
        )
        parser.add_argument(
            "--protocols", nargs="+", choices=PROTOCOLS, help="P0 and P1 unless given, all four with --report"
        )
        parser.add_argument(
            "--without-conditions",
            action="store_true",
            help="judge the model without condition fields too, which doubles the time; always done with --report",
        )
        parser.add_argument(
            "--quick-calibration",
            action="store_true",
            help="calibrate the model of a fold on the part that its training stopped by, without fits of their own",
        )
        parser.add_argument(
            "--seeds", type=int, nargs="+", help="one seed a repetition of the protocol, 0 unless given"
        )
        parser.add_argument("--workers", type=int, default=2, help="processes that folds run in")

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_bad_options(options)
        protocols = options["protocols"] or (PROTOCOLS if options["report"] else PROTOCOLS[:2])
        version = find_version(options["model"])
        extras = _prepare_report(version, options)
        if not options["stored"]:
            run = run_start(
                kind=RunKind.EVALUATION,
                in_worker=options["in_worker"],
                show_progress=not options["no_progress"],
                model_version=version,
                preset=version.preset,
                seed=version.seed,
                parameters={
                    "protocols": sorted(set(protocols)),
                    "seeds": sorted(set(options["seeds"] or [0])),
                    "workers": max(1, options["workers"]),
                    "without_conditions": options["without_conditions"] or options["report"] is not None,
                    "quick_calibration": options["quick_calibration"],
                },
            )
            if options["in_worker"]:
                self.stdout.write(f"Run {run.public_id} waits for the ML worker.")
                return
            self._write_evaluation(version, options["json"])
        if options["report"]:
            self._write_report(version, options, extras)

    def _write_evaluation(self, version: ModelVersion, target: Path | None) -> None:
        folder = model_folder(version)
        self.stdout.write((folder / "evaluation.md").read_text(encoding="utf-8"))
        if target is not None:
            content = json.dumps(evaluation_figures(version), indent=2, sort_keys=True)
            try:
                target.write_text(content + "\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(
                    f"Evaluated, but {target} could not be written: {error.strerror}. The evaluation is kept in the "
                    f"model's folder, {folder}."
                ) from error

    def _write_report(self, version: ModelVersion, options: dict[str, Any], extras: ReportExtras) -> None:
        try:
            with command_audit_context():
                files = evaluation_report_write(
                    version=version,
                    folder=options["report"],
                    recipient=options["recipient"],
                    figures_only=options["figures_only"],
                    **extras,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except OSError as error:
            raise CommandError(f"The report could not be written: {error}") from error
        self.stdout.write(f"Wrote {', '.join(str(file) for file in files)}.")


def _refuse_bad_options(options: dict[str, Any]) -> None:
    target: Path | None = options["json"]
    if target is not None and (fault := output_fault(target)):
        raise CommandError(fault)
    if options["seeds"] and min(options["seeds"]) < 0:
        raise CommandError("--seeds must not be negative.")
    if target is not None and options["in_worker"]:
        raise CommandError("--json and --async exclude each other: the worker's result lies in the model folder.")
    if options["report"] is not None and options["in_worker"]:
        raise CommandError("--report and --async exclude each other: write it with --stored when the run has ended.")
    only_of_a_report = ("stored", "ablation", "permutation", "figures_only")
    if options["report"] is None and any(options[name] for name in only_of_a_report):
        raise CommandError("--stored, --ablation, --permutation and --figures-only need --report DIR.")
    of_a_judgement = ("json", "protocols", "seeds", "without_conditions", "quick_calibration")
    if options["stored"] and any(options[name] for name in of_a_judgement):
        names = ", ".join("--" + name.replace("_", "-") for name in of_a_judgement)
        raise CommandError(f"--stored judges nothing: it takes none of {names}.")
    missing = [name for name in REPORTED_PROTOCOLS if options["protocols"] and name not in options["protocols"]]
    if options["report"] is not None and missing:
        raise CommandError(f"A report needs the protocols P1, P2 and P3; --protocols lacks {', '.join(missing)}.")


def _prepare_report(version: ModelVersion, options: dict[str, Any]) -> ReportExtras:
    """Before an evaluation that takes minutes: whether its report could be written. Returns what is put into it."""
    if options["report"] is None:
        return {}
    try:
        with command_audit_context():
            refuse_marked(version)
        prepare_folder(options["report"])
        return {
            "ablation": read_ablation(options["ablation"]) if options["ablation"] else None,
            "permutation": read_permutation(options["permutation"]) if options["permutation"] else None,
        }
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    except OSError as error:
        raise CommandError(f"{options['report']} cannot be written: {error.strerror}.") from error
