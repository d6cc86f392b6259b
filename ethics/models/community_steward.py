"""For which communities a steward acts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from ethics.models.community import Community


class CommunitySteward(models.Model):
    """One person and one community. Without such a row the role of a steward opens nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stewardships")
    community = models.ForeignKey(Community, on_delete=models.PROTECT, related_name="stewards")
    appointed_by = models.CharField(max_length=150)
    appointed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["community__name", "user__username"]
        constraints = [
            models.UniqueConstraint(fields=["user", "community"], name="steward_once_a_community"),
            models.CheckConstraint(condition=~Q(appointed_by=""), name="steward_was_appointed_by_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.community}"
