"""Requests to lower a sacred status: one person proposes, another confirms or rejects."""

from __future__ import annotations

import uuid
from enum import StrEnum

from django.db import models
from django.db.models import F, Q

from ethics.models.choices import choices_of
from ethics.models.governed_item import GovernedItem
from ethics.policy import SacredStatus

STRICTNESS = (SacredStatus.NONE, SacredStatus.RESTRICTED, SacredStatus.SACRED)


class LoweringState(StrEnum):
    """An open request waits for its checker."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class StatusLoweringRequest(models.Model):
    """A proposal that an item be less protected. Whoever made it can't decide on it; the database refuses that as well."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    item = models.ForeignKey(GovernedItem, on_delete=models.PROTECT, related_name="lowering_requests")
    from_status = models.CharField(max_length=12, choices=choices_of(SacredStatus))
    to_status = models.CharField(max_length=12, choices=choices_of(SacredStatus))
    state = models.CharField(max_length=10, choices=choices_of(LoweringState), default=LoweringState.OPEN.value)
    reason = models.CharField(max_length=300)
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(from_status="sacred", to_status__in=["restricted", "none"])
                | Q(from_status="restricted", to_status="none"),
                name="lowering_goes_down",
            ),
            models.CheckConstraint(condition=~Q(proposed_by="") & ~Q(reason=""), name="lowering_has_maker_and_reason"),
            models.CheckConstraint(condition=~Q(decided_by=F("proposed_by")), name="lowering_checker_is_not_the_maker"),
            models.CheckConstraint(
                condition=Q(state="open", decided_by="", decided_at__isnull=True)
                | Q(state__in=["confirmed", "rejected"], decided_at__isnull=False) & ~Q(decided_by=""),
                name="lowering_is_decided_by_somebody",
            ),
            models.UniqueConstraint(fields=["item"], condition=Q(state="open"), name="lowering_once_open_an_item"),
        ]

    def __str__(self) -> str:
        return f"{self.from_status} to {self.to_status}, {self.state}: {self.item}"
