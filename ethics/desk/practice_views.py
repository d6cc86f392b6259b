"""The page of one practice: how it was attributed, to whom it was shown, and what was decided about it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ethics import audit
from ethics.audit import registered_event_types
from ethics.desk.access import officers_only
from ethics.desk.attribution_history import attribution_history
from ethics.desk.event_pages import Cursor, CursorError, event_page
from ethics.desk.event_words import meaning
from ethics.models import ApiClient, AuditEvent, GovernedItem


@officers_only
@require_safe
def practice_history(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the log and the field history say about a governed item. Other subjects have their events alone."""
    item = GovernedItem.objects.filter(public_id=public_id).select_related("community").first()
    if item is None:
        return HttpResponseRedirect(f"{reverse('desk:events')}?subject={public_id}")
    history = attribution_history(item)
    if history.is_sacred:
        audit.record("sacred.viewed", subjects=[item.public_id], communities=[item.community.slug])
    context = {"history": history, "item": item}
    try:
        cursor = Cursor.read(request.GET.get("at", ""))
    except CursorError:
        context["error"] = "This page of the list is not known. Begin with the newest events."
        return render(request, "compliance/practice.html", context, status=400)
    page = event_page(AuditEvent.objects.filter(subject_ids__contains=[str(public_id)]), cursor)
    clients = {str(key): name for key, name in ApiClient.objects.values_list("public_id", "organisation")}
    kinds = registered_event_types()
    context |= {"page": page, "rows": []}
    context["rows"] = [
        (
            event,
            meaning(event.event_type),
            clients.get(event.client_id, event.client_id),
            history.statement_at(event.occurred_at)
            if event.event_type in kinds and kinds[event.event_type].serves
            else None,
        )
        for event in page.events
    ]
    return render(request, "compliance/practice.html", context)
