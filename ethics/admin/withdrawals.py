"""Withdrawal cases and their receipts: to be read, never written by hand."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from unfold.decorators import action, display

from ethics.admin.base import ViewOnlyAdmin
from ethics.models import CaseState, WithdrawalCase, WithdrawalReceipt, WithdrawalStep

STATE_COLOURS = {
    CaseState.OPEN.value: "info",
    CaseState.RETRAINING.value: "info",
    CaseState.OVERDUE.value: "danger",
    CaseState.COMPLETED.value: "success",
}


@admin.register(WithdrawalCase)
class WithdrawalCaseAdmin(ViewOnlyAdmin):
    """What left use, why, and what was then done about it."""

    community_path = "community"
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
    list_filter = ("state", "cause", ("community", admin.RelatedOnlyFieldListFilter), "opened_at")
    search_fields = ("public_id", "consent_public_id", "community__name", "community__slug")
    list_select_related = ("community",)
    fields = (
        "public_id", "community", "cause", "state", "consent_public_id", "item_public_ids", "opened_at", "deadline_at",
        "completed_at",
    )  # fmt: skip
    readonly_fields = ("public_id",)
    actions_detail = ("receipt", "receipt_json")

    @action(description="Receipts", url_path="receipt", permissions=["view"])
    def receipt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipts issued for the case as a page that prints."""
        case = self.record_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Receipts of {case}",
            "opts": self.opts,
            "original": case,
            "case": case,
            "receipts": [shown_receipt(receipt) for receipt in case.receipts.all()],
        }
        return TemplateResponse(request, "admin/ethics/withdrawal_receipts.html", context)

    @action(description="Receipts as JSON", url_path="receipt-json", permissions=["view"])
    def receipt_json(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipts as a file. The SHA-256 of a receipt is that of its document in the form of RFC 8785."""
        case = self.record_or_404(request, object_id)
        content = {
            "case": str(case.public_id),
            "state": case.state,
            "complete": case.state == CaseState.COMPLETED,
            "receipts": [
                {"sha256": receipt.sha256, "document": json.loads(receipt.document)} for receipt in case.receipts.all()
            ],
        }
        response = JsonResponse(content, json_dumps_params={"indent": 2})
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

    community_path = "case__community"
    list_display = ("what", "where", "case", "begun_at", "done_at")
    list_filter = ("what", "begun_at")
    search_fields = ("what", "where", "case__public_id")
    list_select_related = ("case",)


@admin.register(WithdrawalReceipt)
class WithdrawalReceiptAdmin(ViewOnlyAdmin):
    """Every receipt that was issued."""

    community_path = "case__community"
    list_display = ("number", "kind", "case", "community", "issued_at", "sha256")
    list_filter = ("kind", "issued_at")
    search_fields = ("=number", "=sha256", "case__public_id")
    list_select_related = ("case__community",)
    fields = ("number", "kind", "case", "follows", "issued_at", "sha256")
    actions_detail = ("document",)

    @action(description="Document", url_path="document", permissions=["view"])
    def document(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The document byte by byte: its SHA-256 is the one of the receipt."""
        receipt = self.record_or_404(request, object_id)
        response = HttpResponse(receipt.document.encode(), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="receipt-{receipt.number}.json"'
        return response

    @admin.display(description="Community")
    def community(self, receipt: WithdrawalReceipt) -> str:
        return receipt.case.community.name


def shown_receipt(receipt: WithdrawalReceipt) -> dict[str, Any]:
    """A receipt as the page shows it: from its document alone, so that page and document cannot differ."""
    document = json.loads(receipt.document)
    steps = [{**step, "counted": sorted(step["counts"].items())} for step in document["finished"]]
    return {**document, "sha256": receipt.sha256, "finished": steps, "pk": receipt.pk}
