"""The event list with its filters, its downloads, and the page of one event with its proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ethics.audit.pack import PackError
from ethics.desk.access import officer_of, officers_only
from ethics.desk.downloads import events_csv, events_json, log_download_begin
from ethics.desk.event_pages import Cursor, CursorError, counted, event_page
from ethics.desk.event_proof import event_proof
from ethics.desk.event_words import fields_in_words, meaning
from ethics.desk.pack_download import pack_open
from ethics.desk.search_form import EventSearchForm
from ethics.history import field_changes_of
from ethics.models import ApiClient, AuditEvent, SavedFilter

STREAMS: dict[str, tuple[Callable[..., Iterator[str]], str]] = {
    "csv": (events_csv, "text/csv; charset=utf-8"),
    "json": (events_json, "application/json"),
}
PACK = "pack"


@officers_only
@require_safe
def event_list(request: HttpRequest) -> HttpResponse:
    """Events that pass the filters of the query string, newest first."""
    form = EventSearchForm(request.GET)
    saved = list(SavedFilter.objects.filter(owner=officer_of(request)))
    context = {"form": form, "saved_filters": [(entry, urlencode(entry.terms)) for entry in saved]}
    try:
        cursor = Cursor.read(request.GET.get("at", ""))
    except CursorError:
        context["error"] = "This page of the list is not known. Begin with the newest events."
        return render(request, "compliance/events.html", context, status=400)
    if not form.is_valid():
        return render(request, "compliance/events.html", context, status=400)
    events = form.filters.apply(AuditEvent.objects.all())
    count, is_more = counted(events)
    page = event_page(events, cursor)
    terms = form.terms()
    context |= {
        "rows": [
            (event, meaning(event.event_type), form.clients.get(event.client_id, event.client_id))
            for event in page.events
        ],
        "page": page,
        "count": count,
        "is_more": is_more,
        "terms": terms,
        "query": urlencode(terms),
    }
    return render(request, "compliance/events.html", context)


@officers_only
@require_safe
def event_download(request: HttpRequest, form: str) -> HttpResponseBase:
    """The events that pass the filters, all pages of them, as a file."""
    if form not in (*STREAMS, PACK):
        raise Http404("No such form of download.")
    search = EventSearchForm(request.GET)
    if not search.is_valid():
        return render(request, "compliance/events.html", {"form": search}, status=400)
    name = f"events-{timezone.now():%Y%m%dT%H%M%SZ}"
    if form == PACK:
        try:
            return FileResponse(pack_open(search.filters), as_attachment=True, filename=f"{name}.zip")
        except PackError as error:
            return render(request, "compliance/events.html", {"form": search, "error": str(error)}, status=400)
    write, content_type = STREAMS[form]
    events = log_download_begin(filters=search.filters, form=form)
    response = StreamingHttpResponse(write(events, search.clients), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


@officers_only
@require_safe
def event_detail(request: HttpRequest, event_id: str) -> HttpResponse:
    """Every field of an event, the text that the log hashes, its proof, and what its request changed."""
    event = AuditEvent.objects.with_people().filter(event_id=event_id).first()
    if event is None:
        raise Http404("No such event.")
    client = ApiClient.objects.filter(public_id=event.client_id).first() if event.client_id else None
    context = {
        "event": event,
        "meaning": meaning(event.event_type),
        "fields": list(fields_in_words(event, client.organisation if client else "")),
        "proof": event_proof(event),
        "changes": field_changes_of(event.request_id, request.user),
    }
    return render(request, "compliance/event.html", context)
