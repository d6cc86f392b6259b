"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

from ethics.models import Attribution, Community, Consent, GovernedItem, ItemLabel, Label
from ethics.tracked_changes import TrackedModel, register_tracked_models

TRACKED = (
    TrackedModel(Community),
    TrackedModel(Label),
    TrackedModel(GovernedItem, item_path="pgh_obj", shows_withheld=True),
    TrackedModel(ItemLabel, item_path="item"),
    TrackedModel(Attribution, item_path="item"),
    TrackedModel(Consent),
)

register_tracked_models(*TRACKED)
