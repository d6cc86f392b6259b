"""Event types are registered, dotted and typed; an event of an unknown type, or an incomplete one, is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"^[a-z_]+(\.[a-z_]+)+$")
_registry: dict[str, EventType] = {}


@dataclass(frozen=True)
class EventType:
    """A kind of event: what it means, and what it must say besides actor, time and policy revision.

    ``serves`` marks answers that showed knowledge to a client, ``refuses`` requests from which it was withheld.
    """

    name: str
    meaning: str
    needs_subjects: bool = True
    needs_communities: bool = False
    needs_purpose: bool = False
    needs_model: bool = False
    needs_reason: bool = False
    details: frozenset[str] = frozenset()
    serves: bool = False
    refuses: bool = False


def register_event_type(event_type: EventType) -> EventType:
    """Make an event type known.

    Raises:
        ValueError: the name is not dotted lower case, or is taken by a different type.
    """
    if not _NAME.match(event_type.name):
        raise ValueError(f"event type {event_type.name!r} must be dotted lower case, such as 'consent.withdrawn'")
    if _registry.get(event_type.name, event_type) != event_type:
        raise ValueError(f"event type {event_type.name!r} is registered already, differently")
    _registry[event_type.name] = event_type
    return event_type


def registered_event_types() -> dict[str, EventType]:
    """All event types by name."""
    return dict(_registry)
