"""What the compliance desk stores, and the counts behind its charts: to be read; the desk itself is at /compliance/."""

from __future__ import annotations

from django.contrib import admin

from ethics.admin.base import ViewOnlyAdmin
from ethics.models import AlertNote, AuditDailyCount, SavedFilter


@admin.register(AlertNote)
class AlertNoteAdmin(ViewOnlyAdmin):
    """What officers said about alerts, without their texts."""

    list_display = ("written_at", "kind", "alert_key", "closes")
    list_filter = ("kind", "closes", "written_at")
    fields = readonly_fields = ("alert_key", "kind", "closes", "seen_until", "author", "written_at", "event_id")
    actions_detail_hide_default = True


@admin.register(SavedFilter)
class SavedFilterAdmin(ViewOnlyAdmin):
    """The filters that officers keep; the desk offers each of them their own."""

    list_display = ("name", "owner", "created_at")
    fields = readonly_fields = ("name", "owner", "terms", "created_at")
    actions_detail_hide_default = True


@admin.register(AuditDailyCount)
class AuditDailyCountAdmin(ViewOnlyAdmin):
    """Sealed events a day."""

    list_display = ("day", "event_type", "community", "reason", "times")
    list_filter = ("event_type", "day")
    actions_detail_hide_default = True
