"""The audit log and the policy revision: to be read, never written."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ethics.admin.base import ViewOnlyAdmin
from ethics.audit import registered_event_types
from ethics.models import AuditEvent, PolicyRevision


class EventTypeFilter(admin.SimpleListFilter):
    """By registered event type."""

    title = "event type"
    parameter_name = "event_type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(name, f"{name} — {kind.meaning}") for name, kind in sorted(registered_event_types().items())]

    def queryset(self, request: HttpRequest, queryset):  # type: ignore[no-untyped-def]
        return queryset.filter(event_type=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(ViewOnlyAdmin):
    """Every event, newest first."""

    list_display = ("when", "event_type", "meaning", "who", "actor_role", "communities", "purpose")
    list_display_links = ("when", "event_type")
    list_filter = (EventTypeFilter, "purpose", "occurred_at")
    search_fields = (
        "event_type",
        "actor__name",
        "client_id",
        "request_id",
        "subject_ids__icontains",
        "community_ids__icontains",
    )
    search_help_text = "Search by actor, subject id, community, client or request id."
    fields = (
        "event_type", "meaning", "when", "who", "actor_role", "client_id", "request_id", "purpose", "why",
        "policy_revision", "model_sha256", "subject_ids", "community_ids", "details_readable", "canonical_readable",
        "event_id",
    )  # fmt: skip
    readonly_fields = ("meaning", "when", "who", "why", "details_readable", "canonical_readable", "event_id")
    actions_detail_hide_default = True
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        queryset: QuerySet[AuditEvent] = super().get_queryset(request)
        return queryset.select_related("actor", "reason_record")

    @admin.display(description="Actor name", ordering="actor__name")
    def who(self, event: AuditEvent) -> str:
        return event.actor_name

    @admin.display(description="Reason")
    def why(self, event: AuditEvent) -> str:
        return event.reason

    @admin.display(description="Meaning")
    def meaning(self, event: AuditEvent) -> str:
        kind = registered_event_types().get(event.event_type)
        return kind.meaning if kind else ""

    @admin.display(description="Communities")
    def communities(self, event: AuditEvent) -> str:
        shown, more = event.community_ids[:2], len(event.community_ids) - 2
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

    @admin.display(description="When (UTC)", ordering="occurred_at")
    def when(self, event: AuditEvent) -> str:
        return f"{event.occurred_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Details")
    def details_readable(self, event: AuditEvent) -> SafeString:
        return preformatted(json.dumps(event.details, indent=2, ensure_ascii=False, sort_keys=True))

    @admin.display(description="Canonical text (what the log hashes)")
    def canonical_readable(self, event: AuditEvent) -> SafeString:
        return preformatted(event.canonical)

    def history_view(self, request, object_id, extra_context=None):  # type: ignore[no-untyped-def]
        """An event has no history: it never changes."""
        return self.absent(request, object_id)


@admin.register(PolicyRevision)
class PolicyRevisionAdmin(ViewOnlyAdmin):
    """The one row."""

    list_display = ("value", "changed_at")
    actions_detail_hide_default = True


def preformatted(text: str) -> SafeString:
    """Machine text as it stands, escaped, with wrapped lines."""
    return format_html('<pre class="machine-text">{}</pre>', text)
