"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

from collections.abc import Iterator

from correlations.models import (
    Condition,
    Correlation,
    DiseaseAssociation,
    DosageProfile,
    Evidence,
    GenomicTarget,
    Practice,
    PracticeIndication,
    SynergyPair,
)
from ethics.history import Person, RecordChange, register_history_source
from ethics.tracked_changes import TrackedModel, tracked_changes_of

TRACKED = (
    TrackedModel(Practice, item_path="item"),
    TrackedModel(PracticeIndication, item_path="practice__item"),
    TrackedModel(DosageProfile, item_path="practice__item"),
    TrackedModel(Correlation, item_path="practice__item"),
    TrackedModel(SynergyPair),
    TrackedModel(GenomicTarget),
    TrackedModel(DiseaseAssociation),
    TrackedModel(Evidence),
    TrackedModel(Condition),
)


@register_history_source
def field_changes_of(request_id: str, person: Person) -> Iterator[RecordChange]:
    """What a request changed in the catalogue."""
    return tracked_changes_of(TRACKED, request_id, person)
