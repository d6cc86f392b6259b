"""`manage.py import_phase3 DIR`: imports an export in the Phase 3 format."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DataError, IntegrityError
from tqdm import tqdm

from correlations.importing.errors import ImportRefused
from correlations.importing.phase3 import phase3_import
from ethics.audit import command_audit_context


class Command(BaseCommand):
    """Import an export; every row is accepted, a duplicate, or kept in quarantine with its reason."""

    help = (
        "Import genomic_targets.json, tk_practices.json and training_correlations.json of a folder in one transaction. "
        "Rows that can't be accepted go to quarantine with a reason; the same files are imported only once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="the folder with the three files")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen and write nothing")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the import as the user of the operating system, and print the report."""
        target: Path | None = options["report"]
        if target and (target.is_dir() or not target.absolute().parent.is_dir()):
            raise CommandError(f"Nothing was imported. The report can't be written to {target}.")
        with (
            command_audit_context(),
            tqdm(unit=" rows", delay=2, disable=None, leave=False) as bar,
        ):
            try:
                report = phase3_import(folder=options["folder"], dry_run=options["dry_run"], advance=bar.update)
            except ImportRefused as error:
                raise CommandError(f"Nothing was imported. {error}") from error
            except (IntegrityError, DataError) as error:
                # The database's own text may repeat content of a row; the name of the rule doesn't.
                rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "its column types"
                raise CommandError(
                    f"Nothing was imported. The database refused a row by {rule}; if the catalogue was changed meanwhile, "
                    "run the import again."
                ) from error
        for line in _summary(report):
            self.stdout.write(line)
        if target:
            self._write(report, target)

    def _write(self, report: dict[str, Any], target: Path) -> None:
        """What was imported stands whatever becomes of the file, and its summary is printed."""
        text = json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False)
        try:
            target.write_text(f"{text}\n", encoding="utf-8")
        except OSError as error:
            done = {"imported": "Imported", "dry_run": "Dry run", "unchanged": "Unchanged"}[report["outcome"]]
            raise CommandError(f"{done}, but the report could not be written: {error}") from error


def _summary(report: dict[str, Any]) -> list[str]:
    words = {
        "imported": "Imported.",
        "dry_run": "Dry run: nothing was written.",
        "unchanged": "Unchanged: these files were imported before. Their report:",
    }
    lines = [words[report["outcome"]]]
    for name, counts in report["files"].items():
        lines.append(
            f"{name}: {counts['rows']} rows = {counts['accepted']} accepted + {counts['duplicates']} duplicates "
            f"+ {counts['quarantined']} quarantined"
        )
        for group in ("accepted_by_status", "duplicates_by_kind", "quarantined_by_reason"):
            lines += [f"    {group.split('_')[0]}: {kind} {count}" for kind, count in counts[group].items()]
    lines.append(f"Placeholder citations dropped: {report['placeholder_citations']['dropped']}")
    lines.append(f"Practices without a basis of use: {report['practices_without_basis']['count']}")
    return lines
