"""The communities that hold the knowledge."""

from __future__ import annotations

import pghistory
from django.db import models

from ethics.models.policy_revision import raises_policy_revision


@pghistory.track()
class Community(models.Model):
    """A community or a tradition with its own statement of attribution."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    region = models.CharField(max_length=200, blank=True)
    statement = models.TextField(
        blank=True, help_text="How the community wishes to be credited. Shown with every prediction."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "communities"
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="community_has_name")]
        triggers = [raises_policy_revision()]

    def __str__(self) -> str:
        return self.name
