"""Withdrawal cases and their receipts: to be read, never written by hand."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from unfold.decorators import action, display

from ethics.admin.base import ViewOnlyAdmin
from ethics.models import CaseState, WithdrawalCase, WithdrawalStep
from ethics.withdrawal_receipt import withdrawal_receipt

STATE_COLOURS = {
    CaseState.OPEN.value: "info",
    CaseState.RETRAINING.value: "info",
    CaseState.OVERDUE.value: "danger",
    CaseState.COMPLETED.value: "success",
}


@admin.register(WithdrawalCase)
class WithdrawalCaseAdmin(ViewOnlyAdmin):
    """What left use, why, and what was then done about it."""

    list_display = (
        "short_id",
        "community",
        "cause",
        "state_label",
        "items_count",
        "opened_at",
        "deadline_at",
        "completed_at",
    )
    list_display_links = ("short_id",)
    list_filter = ("state", "cause", "community", "opened_at")
    search_fields = ("public_id", "consent_public_id", "community__name", "community__slug")
    list_select_related = ("community",)
    fields = (
        "public_id", "community", "cause", "state", "consent_public_id", "item_public_ids", "opened_at", "deadline_at",
        "completed_at",
    )  # fmt: skip
    readonly_fields = ("public_id",)
    actions_detail = ("receipt", "receipt_json")

    @action(description="Receipt", url_path="receipt", permissions=["view"])
    def receipt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as a page that prints."""
        case = self.record_or_404(request, object_id)
        receipt = withdrawal_receipt(case)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Receipt of {case}",
            "opts": self.opts,
            "original": case,
            "receipt": receipt,
            "steps": [{**step, "counted": sorted(step["counts"].items())} for step in receipt["steps"]],
            "item_ids": case.item_public_ids,
        }
        return TemplateResponse(request, "admin/ethics/withdrawal_receipt.html", context)

    @action(description="Receipt as JSON", url_path="receipt-json", permissions=["view"])
    def receipt_json(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as a file."""
        case = self.record_or_404(request, object_id)
        response = JsonResponse(withdrawal_receipt(case), json_dumps_params={"indent": 2})
        response["Content-Disposition"] = f'attachment; filename="withdrawal-{case.public_id}.json"'
        return response

    @admin.display(description="Case")
    def short_id(self, case: WithdrawalCase) -> str:
        return str(case.public_id)[:8]

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, case: WithdrawalCase) -> str:
        return case.state

    @admin.display(description="Items")
    def items_count(self, case: WithdrawalCase) -> int:
        return len(case.item_public_ids)


@admin.register(WithdrawalStep)
class WithdrawalStepAdmin(ViewOnlyAdmin):
    """Every step of every case."""

    list_display = ("what", "where", "case", "begun_at", "done_at")
    list_filter = ("what", "begun_at")
    search_fields = ("what", "where", "case__public_id")
    list_select_related = ("case",)
