"""The pages of the community statement, for stewards and officers; for everybody else there are none."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from ethics.admin.visibility import communities_of, sees_withheld
from genomepath.community_statement import community_statement, statement_csv
from genomepath.statement_period import StatementPeriod

_DAYS_SHOWN_FIRST = 30


@require_safe
@login_required
def statement_list(request: HttpRequest) -> HttpResponse:
    """The communities that the person answers for, each with its statement."""
    _require_reader(request)
    context = {
        **admin.site.each_context(request),
        "title": "Community statements",
        "communities": communities_of(request.user),
    }
    return TemplateResponse(request, "admin/genomepath/statement_list.html", context)


@require_safe
@login_required
def statement_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The statement as a page that prints, or as a CSV or JSON file (``?format=``), from ``?from=`` to ``?to=``."""
    _require_reader(request)
    community = get_object_or_404(communities_of(request.user), slug=slug)
    today = timezone.now().date()
    first = request.GET.get("from") or (today - timedelta(days=_DAYS_SHOWN_FIRST)).isoformat()
    last = request.GET.get("to") or today.isoformat()
    context = {
        **admin.site.each_context(request),
        "title": f"Statement: {community.name}",
        "community": community,
        "first": first,
        "last": last,
    }
    try:
        period = StatementPeriod.parse(first, last)
        statement = community_statement(community, period.start, period.end)
    except (ValueError, OverflowError):
        context["error"] = "Give two dates such as 2026-01-31, the first one before the last one."
        return TemplateResponse(request, "admin/genomepath/statement.html", context, status=422)
    name = f"statement-{community.slug}-{period.first}-{period.last}"
    if request.GET.get("format") == "csv":
        return _download(HttpResponse(statement_csv(statement), content_type="text/csv; charset=utf-8"), f"{name}.csv")
    if request.GET.get("format") == "json":
        return _download(JsonResponse(statement, json_dumps_params={"indent": 2}), f"{name}.json")
    return TemplateResponse(request, "admin/genomepath/statement.html", {**context, "statement": statement})


def _require_reader(request: HttpRequest) -> None:
    if not (request.user.is_staff and sees_withheld(request.user)):
        raise Http404("No such page.")


def _download(response: HttpResponse, name: str) -> HttpResponse:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
