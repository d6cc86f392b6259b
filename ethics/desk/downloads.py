"""Events as files: exactly those that the filters let through, as CSV, as JSON, or as an evidence pack."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ethics import audit
from ethics.audit.filters import AuditFilters
from ethics.desk.event_pages import Cursor, event_page
from ethics.models import AuditEvent
from ethics.spreadsheet import safe_cell

COLUMNS = (
    "event_id", "occurred_at", "event_type", "actor", "actor_role", "client", "client_id", "request_id", "purpose",
    "reason", "communities", "subjects", "model_sha256", "policy_revision", "details", "canonical",
)  # fmt: skip
_BATCH = 1000


@transaction.atomic
def log_download_begin(*, filters: AuditFilters, form: str) -> QuerySet[AuditEvent]:
    """Record that part of the log leaves the platform; returns the events of the file, which this record is not among."""
    newest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    # The name of a person stays out of the canonical text.
    terms = [name if name == "actor" else f"{name}={value}" for name, value in sorted(filters.as_query().items())]
    audit.record("log.downloaded", details={"form": form, "filters": terms})
    return filters.apply(AuditEvent.objects.filter(pk__lte=newest))


def events_csv(events: QuerySet[AuditEvent], clients: Mapping[str, str]) -> Iterator[str]:
    """The lines of a CSV file, newest event first. No cell is a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for event in _all(events):
        row = _row(event, clients)
        yield writer.writerow([safe_cell(_as_text(row[name])) for name in COLUMNS])


def events_json(events: QuerySet[AuditEvent], clients: Mapping[str, str]) -> Iterator[str]:
    """The text of one JSON array, newest event first."""
    separator = "["
    for event in _all(events):
        yield f"{separator}\n{json.dumps(_row(event, clients), ensure_ascii=False)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


class _Echo:
    """A file for the CSV writer that gives back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _all(events: QuerySet[AuditEvent]) -> Iterable[AuditEvent]:
    """Page by page, so that memory stays flat and no cursor is held open while somebody's line is slow."""
    page = event_page(events, None, _BATCH)
    yield from page.events
    while page.older:
        page = event_page(events, Cursor.read(page.older), _BATCH)
        yield from page.events


def _row(event: AuditEvent, clients: Mapping[str, str]) -> dict[str, Any]:
    return {
        "event_id": str(event.event_id),
        "occurred_at": event.occurred_at.isoformat(timespec="microseconds"),
        "event_type": event.event_type,
        "actor": event.actor_name,
        "actor_role": event.actor_role,
        "client": clients.get(event.client_id, ""),
        "client_id": event.client_id,
        "request_id": event.request_id,
        "purpose": event.purpose,
        "reason": event.reason,
        "communities": event.community_ids,
        "subjects": event.subject_ids,
        "model_sha256": event.model_sha256,
        "policy_revision": event.policy_revision,
        "details": event.details,
        "canonical": event.canonical,
    }


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value
