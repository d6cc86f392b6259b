"""The field history of curated records, asked by request: who changed what from what to what, for which reason.

Each app that owns tracked models registers them at start-up (``ethics.tracked_changes``); ethics imports no sibling. What a
person may not see is withheld by the source: the change stands there, its values don't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

SHOWN = 200


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after, as text; ``before`` is empty for a first version."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class RecordChange:
    """One version of one record, written in a request. ``fields`` is empty where ``withheld``."""

    record_type: str
    record_key: str
    kind: str
    at: datetime
    actor: str
    role: str
    reason: str
    fields: tuple[FieldChange, ...]
    withheld: bool = False


Person = AbstractBaseUser | AnonymousUser
HistorySource = Callable[[str, Person], Iterable[RecordChange]]

_sources: list[HistorySource] = []


def register_history_source(source: HistorySource) -> HistorySource:
    """Register a function of request id and person that gives an app's changes. Usable as a decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def field_changes_of(request_id: str, person: Person) -> list[RecordChange]:
    """What a request changed, as far as the person may see it, in the order of time; at most ``SHOWN`` a source."""
    if not request_id:
        return []
    changes = [change for source in _sources for change in source(request_id, person)]
    return sorted(changes, key=lambda change: change.at)
