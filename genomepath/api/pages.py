"""Lists in pages: a fixed order, a cursor, and no total that could tell of what is withheld."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, cast

from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from ethics.scopes import Scope
from genomepath.api.base import ClientView
from genomepath.api.cursors import NoCursor, cursor_open, cursor_seal
from genomepath.api.parameters import check_known
from genomepath.api.refusals import Refusals

PAGE_PARAMETERS = frozenset({"cursor"})


class CataloguePages(CursorPagination):
    """Pages of 50."""

    page_size = 50
    ordering = "id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The position that the cursor stands for.

        Raises:
            ValidationError: the cursor is not one of this list.
        """
        text = request.query_params.get(self.cursor_query_param)
        self._address = request.path
        try:
            return None if text is None else cursor_open(text, self._address)
        except NoCursor:
            raise ValidationError({"cursor": "This is not a cursor of this list."}) from None

    def encode_cursor(self, cursor: Cursor) -> str:
        """The address of the page at the cursor."""
        sealed = cursor_seal(cursor, self._address)
        return str(replace_query_param(str(self.base_url), self.cursor_query_param, sealed))


class ListView(ClientView):
    """A list of the catalogue."""

    required_scope = Scope.CATALOGUE

    def check_query(self, filters: Set[str]) -> None:
        """Refuse what is neither a filter of the list nor a page of it.

        Raises:
            ValidationError: naming each parameter that is unknown or repeated, and a cursor that is not one of this list.
        """
        with Refusals() as refusals:
            refusals.read(check_known, self.request.query_params, PAGE_PARAMETERS | filters)
            refusals.read(CataloguePages().decode_cursor, self.request)

    def rows_of_page(self, found: QuerySet[Any]) -> list[Any]:
        """The rows of the asked page."""
        self._pages = CataloguePages()
        return cast("list[Model]", self._pages.paginate_queryset(found, self.request, view=self))

    def page(self, rows: list[dict[str, Any]]) -> HttpResponseBase:
        """The page with the addresses of its neighbours."""
        return self.answered(
            {"next": self._pages.get_next_link(), "previous": self._pages.get_previous_link(), "results": rows}
        )
