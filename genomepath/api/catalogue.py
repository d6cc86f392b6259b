"""Catalogue lists: practices as the policy allows for display, and targets."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from correlations.models import GenomicTarget, Practice
from ethics.attribution import attribution_for
from ethics.policy import Purpose
from ethics.scopes import Scope
from genomepath.answers import target_content
from genomepath.api.base import ClientView
from genomepath.api.parameters import check_known, search_text
from genomepath.api.schema import practice_list_schema, target_list_schema
from genomepath.catalogue import practices_listing_record, practices_shown, targets_shown


class CataloguePages(CursorPagination):
    """Pages of 50 in a fixed order; there is no total, so none can tell of what is withheld."""

    page_size = 50
    ordering = "id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The position that the cursor stands for.

        Raises:
            ValidationError: the cursor is not one of ours.
        """
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise ValidationError({"cursor": "This is not a cursor of this list."}) from None
        position = str(cursor.position) if cursor is not None and cursor.position is not None else None
        if position is not None and not (position.isascii() and position.isdigit() and len(position) < 19):
            raise ValidationError({"cursor": "This is not a cursor of this list."})
        return cursor


class ListView(ClientView):
    """A list in pages."""

    required_scope = Scope.CATALOGUE

    def page(self, pages: CataloguePages, rows: list[dict[str, Any]]) -> HttpResponseBase:
        """One page with the addresses of its neighbours."""
        return self.answered({"next": pages.get_next_link(), "previous": pages.get_previous_link(), "results": rows})


class PracticeListView(ListView):
    """Practices that the client's audience may see, with their attribution."""

    @practice_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        check_known(request.query_params, {"search", "cursor"})
        now = timezone.now()
        pages = CataloguePages()
        found = practices_shown(audience=self.audience, now=now, text=search_text(request.query_params))
        page = cast("list[Practice]", pages.paginate_queryset(found, request, view=self))
        attributed = [
            (practice, attribution_for(practice.item, Purpose.DISPLAY, self.audience, now)) for practice in page
        ]
        shown = [(practice, attribution) for practice, attribution in attributed if attribution is not None]
        practices_listing_record(practices=[practice for practice, _ in shown], context=self.audit_context)
        return self.page(
            pages,
            [
                {
                    "slug": practice.slug,
                    "title": practice.title,
                    "tradition": practice.tradition,
                    "attribution": attribution,
                }
                for practice, attribution in shown
            ],
        )


class TargetListView(ListView):
    """Genomic targets: public knowledge, the same for every audience."""

    @target_list_schema
    def get(self, request: Request) -> HttpResponseBase:
        check_known(request.query_params, {"search", "cursor"})
        pages = CataloguePages()
        found = targets_shown(text=search_text(request.query_params))
        page = cast("list[GenomicTarget]", pages.paginate_queryset(found, request, view=self))
        return self.page(pages, [target_content(target) for target in page])
