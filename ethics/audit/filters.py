"""Which events: the filters that the desk, its downloads and the evidence pack share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from django.db.models import QuerySet

from ethics.models import AuditEvent, AuditIdentity
from ethics.models.audit_event import GIVES_REASONS

_LONGEST = 200
_EVENT_TYPE = re.compile(r"^[a-z_]+(\.[a-z_]+)*(\.\*)?$")
_DAY = timedelta(days=1)


class FilterError(ValueError):
    """A filter that can't be understood; ``field`` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class AuditFilters:
    """All that are given must hold. ``since`` <= the event's time < ``until``, in UTC.

    ``community`` is a slug, ``client`` the public id of an API client, ``subject`` a public id or slug as events name
    it, ``actor`` the whole name, ``event_type`` a type such as 'consent.withdrawn' or a family such as 'consent.*',
    ``refusal`` a code among the reasons of a withheld request, ``request_id`` the id of one request or command.
    """

    community: str = ""
    client: str = ""
    actor: str = ""
    subject: str = ""
    event_type: str = ""
    refusal: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def parse(cls, given: Mapping[str, str | None]) -> Self:
        """From the texts of a query string, a form or a command; names that are no filter are passed over.

        A moment is a date or an ISO 8601 time, UTC where it names no zone. ``until`` given as a date takes that day in.

        Raises:
            FilterError: a text too long or with control characters, no event type, no moment, an empty period.
        """
        texts = {field.name: _text(field.name, given.get(field.name) or "") for field in fields(cls)}
        since, until = (_moment(name, texts.pop(name)) for name in ("since", "until"))
        if since is not None and until is not None and until <= since:
            raise FilterError("until", "The end of the period lies before its beginning.")
        if texts["event_type"] and not _EVENT_TYPE.match(texts["event_type"]):
            raise FilterError("event_type", "An event type reads like consent.withdrawn, a family like consent.*")
        return cls(**texts, since=since, until=until)

    def as_query(self) -> dict[str, str]:
        """The filters that are set, as texts that ``parse`` reads back to the same filters; fit for a query string."""
        texts = {field.name: getattr(self, field.name) for field in fields(self)}
        texts["since"] = _since_text(self.since)
        texts["until"] = _until_text(self.until)
        return {name: text for name, text in texts.items() if text}

    def apply(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """The events that pass."""
        if self.community:
            events = events.filter(community_ids__contains=[self.community])
        if self.client:
            events = events.filter(client_id=self.client)
        if self.actor:
            # Looked up first: the planner then knows how many events to expect.
            known = AuditIdentity.objects.filter(name=self.actor).values_list("commitment", flat=True)
            events = events.filter(actor__in=list(known))
        if self.subject:
            events = events.filter(subject_ids__contains=[self.subject])
        if self.event_type.endswith(".*"):
            events = events.filter(event_type__startswith=self.event_type[:-1])
        elif self.event_type:
            events = events.filter(event_type=self.event_type)
        if self.refusal:
            # The first condition is that of the indexes.
            events = events.filter(GIVES_REASONS, details__contains={"reasons": [self.refusal]})
        if self.request_id:
            events = events.filter(request_id=self.request_id)
        if self.since is not None:
            events = events.filter(occurred_at__gte=self.since)
        if self.until is not None:
            events = events.filter(occurred_at__lt=self.until)
        return events

    def __bool__(self) -> bool:
        """Whether any filter is set."""
        return self != type(self)()


def _text(name: str, given: str) -> str:
    text = given.strip()
    if len(text) > _LONGEST or not text.isprintable():
        raise FilterError(name, f"At most {_LONGEST} characters, none of them a control character.")
    return text


def _moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        if len(text) <= len("2026-01-31"):
            moment = datetime.combine(date.fromisoformat(text), time.min, UTC)
            return moment + _DAY if name == "until" else moment
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FilterError(name, "Not a date such as 2026-01-31 or a time such as 2026-01-31T08:00.") from None


def _since_text(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return moment.date().isoformat() if _is_midnight(moment) else moment.isoformat()


def _until_text(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return (moment - _DAY).date().isoformat() if _is_midnight(moment) else moment.isoformat()


def _is_midnight(moment: datetime) -> bool:
    return moment.timetz() == time.min.replace(tzinfo=UTC)
