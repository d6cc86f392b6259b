"""The filters that an officer keeps."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ethics.desk.access import officer_of, officers_only
from ethics.desk.saved_filters import filter_remove, filter_save
from ethics.desk.search_form import EventSearchForm
from ethics.models import SavedFilter


@officers_only
@require_safe
def filter_list(request: HttpRequest) -> HttpResponse:
    """The officer's own filters, each with what it asks for."""
    saved = SavedFilter.objects.filter(owner=officer_of(request))
    return render(request, "compliance/filters.html", {"saved": [(entry, urlencode(entry.terms)) for entry in saved]})


@officers_only
@require_POST
def filter_add(request: HttpRequest) -> HttpResponse:
    """Keep the terms of a search (``query``) under a ``name``."""
    search = EventSearchForm(QueryDict(request.POST.get("query", "")))
    if not search.is_valid():
        return render(request, "compliance/events.html", {"form": search}, status=400)
    terms = search.terms()
    try:
        saved = filter_save(owner=officer_of(request), name=request.POST.get("name", ""), terms=terms)
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
    else:
        messages.success(request, f"The filter “{saved.name}” is kept.")
    return HttpResponseRedirect(f"{reverse('desk:events')}?{urlencode(terms)}")


@officers_only
@require_POST
def filter_delete(request: HttpRequest, public_id: str) -> HttpResponse:
    """Forget a filter. That of somebody else is answered as absent."""
    saved = get_object_or_404(SavedFilter, owner=officer_of(request), public_id=public_id)
    filter_remove(saved=saved)
    messages.success(request, f"The filter “{saved.name}” is removed.")
    return HttpResponseRedirect(reverse("desk:filters"))
