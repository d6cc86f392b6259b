"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

from ethics.tracked_changes import TrackedModel, register_tracked_models
from genomepath.models import ModelVersion

TRACKED = (TrackedModel(ModelVersion, hidden_fields=frozenset({"trained_on", "metrics", "gate"})),)

register_tracked_models(*TRACKED)
