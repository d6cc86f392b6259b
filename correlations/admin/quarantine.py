"""Imports, and the rows that they could not accept."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.decorators import action

from correlations.importing.quarantine import quarantine_dismiss, quarantine_replay
from correlations.models import ImportBatch, QuarantinedRow
from ethics.admin.audit_log import preformatted
from ethics.admin.base import ViewOnlyAdmin
from ethics.admin.form_fields import UnfoldAdminTextareaWidget, reason_field, take_service_errors
from ethics.admin.form_page import FormPage, form_page, object_url


class ReplayForm(forms.Form):
    """The row as the curator corrects it."""

    corrected = forms.CharField(
        label="Corrected row (JSON)",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false", "class": "machine-text"}),
        help_text="One JSON object. The row is read again by the same rules as the import.",
    )
    reason = reason_field("Reason for this change")


class DismissForm(forms.Form):
    """Why a row is left out for good."""

    reason = reason_field()


@admin.register(ImportBatch)
class ImportBatchAdmin(ViewOnlyAdmin):
    """What each import did."""

    list_display = ("created_at", "kind", "started_by", "source_sha256", "open_rows")
    list_filter = ("kind",)
    search_fields = ("source_sha256", "started_by")
    fields = ("kind", "source_sha256", "started_by", "created_at", "report_readable")

    @admin.display(description="Open rows")
    def open_rows(self, batch: ImportBatch) -> int:
        return batch.quarantined_rows.filter(state="open").count()

    @admin.display(description="Report")
    def report_readable(self, batch: ImportBatch) -> SafeString:
        return preformatted(json.dumps(batch.report, indent=2, ensure_ascii=False, sort_keys=True))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("report_readable",)


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ViewOnlyAdmin):
    """Rows to correct and replay, or to dismiss with a reason."""

    list_display = ("row", "row_key", "reason", "explanation", "state", "batch")
    list_filter = ("state", "reason", "file_name", "batch")
    search_fields = ("row_key", "reason", "explanation", "raw")
    list_select_related = ("batch",)
    fields = (
        "file_name", "row_number", "row_key", "reason", "explanation", "state",
        "raw_readable", "corrected_readable", "batch", "resolved_at",
    )  # fmt: skip
    actions_detail = ("replay", "dismiss")

    @admin.display(description="Row", ordering="row_number")
    def row(self, row: QuarantinedRow) -> str:
        return f"{row.file_name} #{row.row_number}"

    @admin.display(description="Row as it was")
    def raw_readable(self, row: QuarantinedRow) -> SafeString:
        return preformatted(_pretty(row.raw))

    @admin.display(description="Row as corrected")
    def corrected_readable(self, row: QuarantinedRow) -> SafeString | str:
        return preformatted(_pretty(row.corrected)) if row.corrected else "not corrected"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("raw_readable", "corrected_readable")

    def has_resolve_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may replay or dismiss rows; offered while the row is open."""
        if not request.user.has_perm("correlations.change_quarantinedrow"):
            return False
        row = self.record_of_button(request, obj)
        return row is None or row.state == "open"

    @action(description="Replay", url_path="replay", permissions=["resolve"])
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Correct the row and read it again."""
        row = self.record_or_404(request, object_id)
        form = ReplayForm(request.POST or None, initial={"corrected": _pretty(row.corrected or row.raw)})
        if form.is_valid():
            try:
                result = quarantine_replay(
                    row=row, corrected=form.cleaned_data["corrected"], reason=form.cleaned_data["reason"]
                )
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                if result.accepted:
                    messages.success(request, f"The corrected row is accepted: {result.outcome}.")
                else:
                    messages.warning(request, f"The row is still not acceptable. {result.explanation}")
                return HttpResponseRedirect(object_url(row))
        page = FormPage(
            title=f"Replay {row.file_name} row {row.row_number}",
            intro=f"{row.reason}: {row.explanation}",
            submit_label="Replay",
        )
        return form_page(self, request, page, form, row)

    @action(description="Dismiss", url_path="dismiss", permissions=["resolve"])
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave the row out for good, with a reason. The row itself is kept."""
        row = self.record_or_404(request, object_id)
        form = DismissForm(request.POST or None)
        if form.is_valid():
            try:
                quarantine_dismiss(row=row, reason=form.cleaned_data["reason"])
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The row is dismissed. It stays here with the reason.")
                return HttpResponseRedirect(object_url(row))
        page = FormPage(
            title=f"Dismiss {row.file_name} row {row.row_number}",
            intro=f"{row.reason}: {row.explanation}",
            submit_label="Dismiss",
            dangerous=True,
        )
        return form_page(self, request, page, form, row)


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (json.JSONDecodeError, RecursionError):
        return text
