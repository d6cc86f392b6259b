"""Pages of events, newest first, by key: the thousandth page costs what the first one does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from ethics.models import AuditEvent

PAGE_SIZE = 50
MOST_COUNTED = 1_000
_SALT = "ethics.desk.cursor"


class CursorError(ValueError):
    """The cursor is not one that this site made."""


@dataclass(frozen=True)
class Cursor:
    """A place between two events, and the side of it that a page shows."""

    occurred_at: datetime
    pk: int
    newer: bool = False

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """From a query string; None for an empty text.

        Raises:
            CursorError: altered, cut, or made elsewhere.
        """
        if not text:
            return None
        try:
            moment, pk, newer = signing.loads(text, salt=_SALT)
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise CursorError from error
        occurred_at = parse_datetime(moment)
        assert occurred_at is not None  # noqa: S101  signed by this site
        return cls(occurred_at, int(pk), bool(newer))

    def text(self) -> str:
        """For a query string."""
        return signing.dumps([self.occurred_at.isoformat(), self.pk, self.newer], salt=_SALT)


@dataclass(frozen=True)
class EventPage:
    """Some events, newest first, and the cursors of the pages beside them; empty where there is none."""

    events: list[AuditEvent]
    older: str
    newer: str


def event_page(events: QuerySet[AuditEvent, Any], cursor: Cursor | None, size: int = PAGE_SIZE) -> EventPage:
    """The page at the cursor, the newest one without, with people and reasons; one query."""
    ascending = cursor is not None and cursor.newer
    if cursor is not None:
        side = "gt" if ascending else "lt"
        same_moment = Q(occurred_at=cursor.occurred_at, **{f"pk__{side}": cursor.pk})
        # The first condition alone would do; the second lets the index find where to begin.
        events = events.filter(
            Q(**{f"occurred_at__{side}": cursor.occurred_at}) | same_moment,
            **{f"occurred_at__{side}e": cursor.occurred_at},
        )
    order = ("occurred_at", "pk") if ascending else ("-occurred_at", "-pk")
    # The page is found first, by its keys alone: rows are wide, and only those of the page need their people.
    keys = events.order_by(*order).values("pk")[: size + 1]
    with_people = AuditEvent.objects.select_related("actor", "reason_record")
    found = list(with_people.filter(pk__in=keys).order_by(*order))
    is_more = len(found) > size
    found = found[:size]
    if ascending:
        found.reverse()
    has_older = is_more if not ascending else True
    has_newer = is_more if ascending else cursor is not None
    return EventPage(
        found,
        older=_beside(found, newer=False) if has_older else "",
        newer=_beside(found, newer=True) if has_newer else "",
    )


def counted(events: QuerySet[AuditEvent, Any], most: int = MOST_COUNTED) -> tuple[int, bool]:
    """How many events there are, and whether counting stopped at ``most``."""
    count = events.order_by()[: most + 1].count()
    return min(count, most), count > most


def _beside(events: list[AuditEvent], *, newer: bool) -> str:
    if not events:
        return ""
    edge = events[0] if newer else events[-1]
    return Cursor(edge.occurred_at, edge.pk, newer).text()
