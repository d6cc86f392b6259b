"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

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
from ethics.tracked_changes import TrackedModel, register_tracked_models

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

register_tracked_models(*TRACKED)
