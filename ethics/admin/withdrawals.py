"""Withdrawal cases and their receipts: to be read, never written by hand."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from ethics.admin.base import ViewOnlyAdmin
from ethics.models import CaseState, WithdrawalCase, WithdrawalStep

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
