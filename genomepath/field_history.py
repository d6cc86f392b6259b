"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

from collections.abc import Iterator

from ethics.history import Person, RecordChange, register_history_source
from ethics.tracked_changes import TrackedModel, tracked_changes_of
from genomepath.models import ModelVersion

TRACKED = (TrackedModel(ModelVersion, hidden_fields=frozenset({"trained_on", "metrics", "gate"})),)


@register_history_source
def field_changes_of(request_id: str, person: Person) -> Iterator[RecordChange]:
    """What a request changed in model versions."""
    return tracked_changes_of(TRACKED, request_id, person)
