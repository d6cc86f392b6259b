"""Imports the Phase 3 export: three JSON files, one transaction, every row accounted for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from correlations.importing.acceptance import WITHHELD_CONTENT, Acceptance, row_key
from correlations.importing.errors import ImportRefused, Reason, RowProblem
from correlations.importing.reading import SourceRow, read_rows, source_sha256
from correlations.importing.report import ImportReport
from correlations.importing.rows import FILES, PRACTICES_FILE, is_surely_plain, practice_id_of
from correlations.models import ImportBatch, QuarantinedRow
from ethics import audit
from ethics.reasons import change_reason

KIND = "phase3"
_FILE_NAMES = tuple(name for name, _, _ in FILES)
_QUARANTINE_BATCH = 1000
# One import at a time: the look-ups of a second one would be stale.
_LOCK = 0x1A907_9A5E3

Advance = Callable[[int], object]


def phase3_import(*, folder: Path, dry_run: bool = False, advance: Advance = lambda rows: None) -> dict[str, Any]:
    """Import the export in a folder and return the report.

    The same bytes are imported once: a further run writes nothing and returns the first report with the outcome 'unchanged'.
    A dry run does all of the work and rolls it back. ``advance`` is called with the number of rows just dealt with.

    Raises:
        ImportRefused: a file is missing or isn't what it must be; nothing is written.
    """
    sha256 = source_sha256(folder, _FILE_NAMES)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        known = ImportBatch.objects.filter(kind=KIND, source_sha256=sha256).first()
        if known is not None:
            return {**known.report, "outcome": "unchanged"}
        with change_reason(f"import of {folder.absolute().name[:100]}, sha256 {sha256}"):
            report = _Import(folder, sha256, advance).run(outcome="dry_run" if dry_run else "imported")
        if dry_run:
            transaction.set_rollback(True)
    return report


class _Import:
    def __init__(self, folder: Path, sha256: str, advance: Advance) -> None:
        self.folder = folder
        self.sha256 = sha256
        self.advance = advance
        self.report = ImportReport(_FILE_NAMES)
        self.acceptance = Acceptance(self.report)
        self.batch = ImportBatch.objects.create(
            kind=KIND, source_sha256=sha256, started_by=audit.current_context().actor_name[:150]
        )
        self.quarantine: list[QuarantinedRow] = []

    def run(self, *, outcome: str) -> dict[str, Any]:
        self._survey_practices()
        for file_name, field, kind in FILES:
            for row in read_rows(self.folder / file_name, field, kind):
                self._deal_with(file_name, row)
        for written in self.acceptance.pending.write():
            self.advance(written)
        self._flush_quarantine()
        self.report.dosage_range_conflicts = self.acceptance.pending.range_conflicts
        report = self.report.as_dict(source_sha256=self.sha256, outcome=outcome)
        self.batch.report = report
        self.batch.save(update_fields=["report"])
        self._record()
        return report

    def _survey_practices(self) -> None:
        """Before anything is kept: which ids are repeated, and what must not be kept."""
        first_rows: dict[str, int] = {}
        for row in read_rows(self.folder / PRACTICES_FILE, "practices", list):
            practice_id = practice_id_of(row.value)
            if practice_id in first_rows:
                raise ImportRefused(
                    f"the id of row {first_rows[practice_id]} is given again: correlations could mean either",
                    file_name=PRACTICES_FILE,
                    row=row.number,
                    field="practice_id",
                )
            if practice_id:
                first_rows[practice_id] = row.number
            if not is_surely_plain(row.value):
                self.acceptance.withhold(row.value)

    def _deal_with(self, file_name: str, row: SourceRow) -> None:
        counts = self.report.files[file_name]
        counts.rows += 1
        try:
            outcome = self.acceptance.accept(file_name, row.value, row.key)
        except RowProblem as problem:
            counts.quarantined[problem.reason.value] += 1
            self._set_aside(file_name, row, problem)
        else:
            groups = {"accepted": counts.accepted, "duplicates": counts.duplicates}
            groups[outcome.group][outcome.kind] += 1
        self.advance(1)

    def _set_aside(self, file_name: str, row: SourceRow, problem: RowProblem) -> None:
        raw, explanation = self.acceptance.keepable(file_name, row.value, row.raw, problem)
        if file_name == PRACTICES_FILE and problem.reason == Reason.PRACTICE_WITHHELD:
            self.acceptance.withhold(row.value)
        elif file_name == PRACTICES_FILE:
            self.acceptance.quarantined_practices.add(practice_id_of(row.value))
        self.quarantine.append(
            QuarantinedRow(
                batch=self.batch,
                file_name=file_name,
                row_number=row.number,
                row_key="" if raw == WITHHELD_CONTENT else row_key(row.value, row.key),
                reason=problem.reason.value,
                explanation=explanation,
                raw=raw,
            )
        )
        if len(self.quarantine) >= _QUARANTINE_BATCH:
            self._flush_quarantine()

    def _flush_quarantine(self) -> None:
        QuarantinedRow.objects.bulk_create(self.quarantine)
        self.quarantine.clear()

    def _record(self) -> None:
        files = self.report.files.values()
        audit.record(
            "import.completed",
            subjects=[f"import:{self.sha256[:16]}", *(item.public_id for item in self.acceptance.items)],
            communities={item.community.slug for item in self.acceptance.items}
            or {practice.community for practice in self.acceptance.catalogue.practices.values()},
            details={
                "rows": sum(counts.rows for counts in files),
                "accepted": sum(counts.accepted.total() for counts in files),
                "duplicates": sum(counts.duplicates.total() for counts in files),
                "quarantined": sum(counts.quarantined.total() for counts in files),
                "source_sha256": self.sha256,
            },
        )
