"""What a curator does with a quarantined row: correct and replay it, or dismiss it."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from correlations.importing.acceptance import WITHHELD_CONTENT, Acceptance
from correlations.importing.errors import RowProblem
from correlations.importing.reading import VALUE_LIMIT, parse_text
from correlations.importing.report import ImportReport
from correlations.importing.rows import FILES, PRACTICES_FILE, is_surely_plain, practice_id_of
from correlations.models import QuarantinedRow
from ethics import audit
from ethics.audit import AuditContext
from ethics.reasons import explained

_REASON_LIMIT = 300


@dataclass(frozen=True)
class ReplayResult:
    """What became of a replayed row: its state, and the outcome ('draft', 'created', 'exact' ..., or a reason)."""

    accepted: bool
    outcome: str
    explanation: str


@explained
@transaction.atomic
def quarantine_replay(
    *, row: QuarantinedRow, corrected: str, actor: AuditContext | None = None, reason: str = ""
) -> ReplayResult:
    """Put a corrected row through the same acceptance as an import.

    Accepted (or found to be recorded already): the row's state becomes 'accepted'. Still not acceptable: it stays open with
    the new reason and explanation. ``actor`` defaults to the current audit context.

    Raises:
        ValidationError: nobody states a reason, the row isn't open, or the text isn't one JSON value; nothing is written.
    """
    locked = _open_row(row)
    if len(corrected) > VALUE_LIMIT:
        raise ValidationError({"corrected": f"At most {VALUE_LIMIT} characters."})
    try:
        value = parse_text(corrected)
    except ValueError as error:
        raise ValidationError({"corrected": f"Not acceptable JSON: {error}"}) from error
    acceptance = Acceptance(ImportReport(tuple(name for name, _, _ in FILES)))
    if locked.file_name == PRACTICES_FILE and not is_surely_plain(value):
        acceptance.withhold(value)
    try:
        # The inner transaction takes back what a row wrote before it failed.
        with transaction.atomic():
            outcome = acceptance.accept(locked.file_name, value).kind
            for _ in acceptance.pending.write():
                pass
    except RowProblem as problem:
        kept, explanation = acceptance.keepable(locked.file_name, value, corrected, problem)
        result = ReplayResult(False, problem.reason.value, explanation)
        _keep_open(locked, kept, result)
    else:
        result = ReplayResult(True, outcome, "")
        _close(locked, "accepted", WITHHELD_CONTENT if practice_id_of(value) in acceptance.withheld else corrected)
    audit.record("quarantine.replayed", subjects=[_subject(locked)], details={"outcome": result.outcome}, context=actor)
    row.refresh_from_db()
    return result


@transaction.atomic
def quarantine_dismiss(*, row: QuarantinedRow, reason: str, actor: AuditContext | None = None) -> None:
    """Close a row that will not be imported; the reason stands in the audit log.

    Raises:
        ValidationError: the row isn't open, or no reason is given.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why the row is dismissed."})
    locked = _open_row(row)
    _close(locked, "dismissed", locked.corrected)
    audit.record(
        "quarantine.dismissed", subjects=[_subject(locked)], reason=reason.strip()[:_REASON_LIMIT], context=actor
    )
    row.refresh_from_db()


def _open_row(row: QuarantinedRow) -> QuarantinedRow:
    locked = QuarantinedRow.objects.select_for_update(of=("self",)).select_related("batch").get(pk=row.pk)
    if locked.state != "open":
        raise ValidationError(f"The row is {locked.get_state_display().lower()} already.")
    return locked


def _keep_open(row: QuarantinedRow, corrected: str, result: ReplayResult) -> None:
    row.reason, row.explanation, row.corrected = result.outcome, result.explanation, corrected
    if corrected == WITHHELD_CONTENT:
        row.raw, row.row_key = WITHHELD_CONTENT, ""
    row.save()


def _close(row: QuarantinedRow, state: str, corrected: str) -> None:
    row.state, row.corrected, row.resolved_at = state, corrected, timezone.now()
    if corrected == WITHHELD_CONTENT:
        row.raw, row.row_key = WITHHELD_CONTENT, ""
    row.save()


def _subject(row: QuarantinedRow) -> str:
    return f"import:{row.batch.source_sha256[:16]}:{row.file_name}:{row.row_number}"
