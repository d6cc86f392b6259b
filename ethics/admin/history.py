"""What happened to a record: its field history and the audit events that name it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Model

from ethics.history import FieldChange
from ethics.models import AuditEvent
from ethics.records import subject_of
from ethics.tracked_changes import text_changes

_SHOWN = 200


@dataclass(frozen=True)
class HistoryRow:
    """One version of a record."""

    at: datetime
    actor: str
    reason: str
    kind: str
    changes: tuple[FieldChange, ...]


def field_history(obj: Model, hidden_fields: Collection[str] = ()) -> list[HistoryRow]:
    """The versions that the database kept, newest first; empty for models without field history."""
    if not hasattr(obj, "pgh_event_model") and not hasattr(obj, "events"):
        return []
    events = obj.events.select_related("pgh_context").order_by("pgh_id")[:_SHOWN]  # type: ignore[attr-defined]
    versions = list(events)
    hidden = {"id", "created_at", "updated_at", *hidden_fields}
    names = {entry.attname: str(entry.verbose_name) for entry in obj._meta.concrete_fields if entry.name not in hidden}
    rows = [_row(event, tuple(text_changes(previous, event, names))) for previous, event in pairwise([None, *versions])]
    return [row for row in reversed(rows) if row.changes]


def audit_trail(obj: Model) -> list[AuditEvent]:
    """The newest audit events that name the record."""
    return list(AuditEvent.objects.with_people().filter(subject_ids__contains=[subject_of(obj)])[:_SHOWN])


def _row(event: Any, changes: tuple[FieldChange, ...]) -> HistoryRow:
    metadata = event.pgh_context.metadata if event.pgh_context else {}
    actor, reason = str(metadata.get("actor", "system")), str(metadata.get("reason", ""))
    return HistoryRow(event.pgh_created_at, actor, reason, event.pgh_label, changes)
