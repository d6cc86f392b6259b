"""Reads of the catalogue. What concerns a practice goes through the policy; nothing else may."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import QuerySet

from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose

if TYPE_CHECKING:
    from correlations.models import Correlation, DosageProfile, Practice  # noqa: F401  named in the base classes


class PracticeQuerySet(QuerySet["Practice"]):
    """Practices, as the policy allows."""

    def permitted_for(self, purpose: Purpose, audience: Audience, now: datetime | None = None) -> Self:
        """Practices whose governed item may be used for this purpose and audience."""
        return self.filter(item__in=GovernedItem.objects.permitted_for(purpose, audience, now))

    def with_policy_facts(self) -> Self:
        """Fetch the governed items with all that an attribution needs."""
        return self.select_related("item__community", "item__attribution").prefetch_related(
            "item__item_labels__label", "item__consents", "item__community__consents"
        )


class CorrelationQuerySet(QuerySet["Correlation"]):
    """Correlations, as the policy allows for their practice."""

    def permitted_for(self, purpose: Purpose, audience: Audience, now: datetime | None = None) -> Self:
        """Correlations of practices that may be used for this purpose and audience."""
        return self.filter(practice__item__in=GovernedItem.objects.permitted_for(purpose, audience, now))


class DosageProfileQuerySet(QuerySet["DosageProfile"]):
    """Dosage profiles, as the policy allows for their practice."""

    def permitted_for(self, purpose: Purpose, audience: Audience, now: datetime | None = None) -> Self:
        """Dosage profiles of practices that may be used for this purpose and audience."""
        return self.filter(practice__item__in=GovernedItem.objects.permitted_for(purpose, audience, now))
