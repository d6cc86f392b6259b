"""What happened to a record: its field history and the audit events that name it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Model

from ethics.models import AuditEvent
from ethics.records import subject_of

_SHOWN = 200
_VALUE_LENGTH = 200


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after, as text; ``before`` is empty for a first version."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryRow:
    """One version of a record."""

    at: datetime
    actor: str
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
    rows = [_row(event, tuple(_changes(previous, event, names))) for previous, event in pairwise([None, *versions])]
    return [row for row in reversed(rows) if row.changes]


def audit_trail(obj: Model) -> list[AuditEvent]:
    """The newest audit events that name the record."""
    return list(AuditEvent.objects.filter(subject_ids__contains=[subject_of(obj)])[:_SHOWN])


def _row(event: Any, changes: tuple[FieldChange, ...]) -> HistoryRow:
    metadata = event.pgh_context.metadata if event.pgh_context else {}
    return HistoryRow(event.pgh_created_at, str(metadata.get("actor", "system")), event.pgh_label, changes)


def _changes(previous: Any, event: Any, names: dict[str, str]) -> Iterator[FieldChange]:
    for name, label in names.items():
        after = getattr(event, name, None)
        before = getattr(previous, name, None) if previous is not None else None
        if before != after and not (previous is None and after in (None, "", [], {})):
            yield FieldChange(label, _text(before), _text(after))


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _VALUE_LENGTH else f"{text[:_VALUE_LENGTH]}…"
