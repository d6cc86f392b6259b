"""The tracked models of this app, for the history of a request."""

from __future__ import annotations

from django.db.models import Q

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
from ethics.history import Person
from ethics.tracked_changes import TrackedModel, register_tracked_models


def _open_evidence(person: Person) -> Q:
    from correlations.admin.evidence import shown_evidence

    return shown_evidence(person)


TRACKED = (
    TrackedModel(Practice, item_path="item"),
    TrackedModel(PracticeIndication, item_path="practice__item"),
    TrackedModel(DosageProfile, item_path="practice__item"),
    TrackedModel(Correlation, item_path="practice__item"),
    TrackedModel(SynergyPair),
    TrackedModel(GenomicTarget),
    TrackedModel(DiseaseAssociation),
    TrackedModel(Evidence, open_records=_open_evidence),
    TrackedModel(Condition),
)

register_tracked_models(*TRACKED)
