"""An event in words: each field with its name, its value and, where there is one, the page that tells more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from ethics.audit import registered_event_types
from ethics.audit.daily_counts import ABSENT, NO_SUCH_PRACTICE
from ethics.models import AuditEvent


@dataclass(frozen=True)
class Value:
    """One value, and a link where one helps."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Field:
    """A field of an event. ``machine`` values are identifiers and hashes."""

    name: str
    values: list[Value]
    machine: bool = False


def meaning(event_type: str) -> str:
    """What events of this type say; empty for one that this version does not know."""
    kind = registered_event_types().get(event_type)
    return kind.meaning if kind else ""


def fields_in_words(event: AuditEvent, client_name: str) -> Iterator[Field]:
    """Every field that the event fills."""
    events = reverse("desk:events")
    yield Field("What", [Value(meaning(event.event_type) or "A kind that this version does not know")])
    yield Field("Type", [Value(event.event_type, f"{events}?event_type={event.event_type}")], machine=True)
    yield Field("When", [Value(f"{event.occurred_at:%A %-d %B %Y, %H:%M:%S.%f} UTC")])
    yield Field("Who", [Value(event.actor_name)])
    yield Field("In which role", [Value(event.actor_role)])
    if event.client_id:
        yield Field("For client", [Value(client_name or event.client_id, f"{events}?client={event.client_id}")])
    if event.purpose:
        yield Field("For purpose", [Value(event.purpose)])
    if event.reason:
        yield Field("Reason", [Value(event.reason)])
    if event.community_ids:
        yield Field("Communities", [Value(slug, f"{events}?community={slug}") for slug in event.community_ids])
    if event.subject_ids:
        yield Field("About", [_subject(subject) for subject in event.subject_ids], machine=True)
    for name, value in sorted(event.details.items()):
        yield Field(name.replace("_", " ").capitalize(), [Value(text) for text in _texts(value)])
    yield Field("Policy revision", [Value(str(event.policy_revision))])
    if event.model_sha256:
        yield Field("Model (SHA-256)", [Value(event.model_sha256)], machine=True)
    if event.request_id:
        yield Field("Request", [Value(event.request_id, f"{events}?request_id={event.request_id}")], machine=True)
    yield Field("Event id", [Value(str(event.event_id))], machine=True)


def _subject(subject: str) -> Value:
    if subject == ABSENT:
        return Value(f"{NO_SUCH_PRACTICE} ({subject})")
    try:
        return Value(subject, reverse("desk:practice", args=[uuid.UUID(subject)]))
    except ValueError:
        return Value(subject)


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(entry) for entry in value] or ["none"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return ["none" if value in (None, "") else str(value)]
