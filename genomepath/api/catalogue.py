"""Catalogue lists: practices as the policy allows for display, and targets."""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from correlations.models import GenomicTarget, Practice
from ethics.attribution import attribution_for
from ethics.policy import Purpose
from ethics.scopes import Scope
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


class PracticeListView(ClientView):
    """Practices that the client's audience may see, with their attribution."""

    required_scope = Scope.CATALOGUE

    @practice_list_schema
    def get(self, request: Request) -> Response:
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
        return pages.get_paginated_response(
            [
                {
                    "slug": practice.slug,
                    "title": practice.title,
                    "tradition": practice.tradition,
                    "attribution": attribution,
                }
                for practice, attribution in shown
            ]
        )


class TargetListView(ClientView):
    """Genomic targets: public knowledge, the same for every audience."""

    required_scope = Scope.CATALOGUE

    @target_list_schema
    def get(self, request: Request) -> Response:
        check_known(request.query_params, {"search", "cursor"})
        pages = CataloguePages()
        found = targets_shown(text=search_text(request.query_params))
        page = cast("list[GenomicTarget]", pages.paginate_queryset(found, request, view=self))
        return pages.get_paginated_response(
            [{"symbol": target.symbol, "hgnc_id": target.hgnc_id, "name": target.name} for target in page]
        )
