"""Exports that were handed out: to whom, by whom, when."""

from __future__ import annotations

from django.contrib import admin

from ethics.admin.base import ViewOnlyAdmin
from genomepath.models import ExportRecord


@admin.register(ExportRecord)
class ExportRecordAdmin(ViewOnlyAdmin):
    """Every export. Which items it held is shown as a number; a withdrawal's receipt names the exports of its items."""

    list_display = ("short_id", "what", "recipient", "audiences", "items_count", "exported_by", "exported_at")
    list_filter = ("what", "exported_at")
    search_fields = ("public_id", "recipient", "data_sha256", "exported_by")
    fields = (
        "public_id", "what", "recipient", "purpose", "audiences", "data_sha256", "items_count", "exported_by",
        "exported_at",
    )  # fmt: skip
    readonly_fields = ("public_id", "items_count", "exported_at")

    @admin.display(description="Export")
    def short_id(self, record: ExportRecord) -> str:
        return str(record.public_id)[:8]

    @admin.display(description="Items")
    def items_count(self, record: ExportRecord) -> int:
        return len(record.item_public_ids)
