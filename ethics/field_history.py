"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

from collections.abc import Iterator

from ethics.history import Person, RecordChange, register_history_source
from ethics.models import Attribution, Community, Consent, GovernedItem, ItemLabel, Label
from ethics.tracked_changes import TrackedModel, tracked_changes_of

TRACKED = (
    TrackedModel(Community),
    TrackedModel(Label),
    TrackedModel(GovernedItem, item_path="pgh_obj", shows_withheld=True),
    TrackedModel(ItemLabel, item_path="item"),
    TrackedModel(Attribution, item_path="item"),
    TrackedModel(Consent),
)


@register_history_source
def field_changes_of(request_id: str, person: Person) -> Iterator[RecordChange]:
    """What a request changed in governance records."""
    return tracked_changes_of(TRACKED, request_id, person)
