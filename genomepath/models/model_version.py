"""The registry of model versions."""

from __future__ import annotations

from enum import StrEnum

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ethics.models.choices import choices_of


class VersionState(StrEnum):
    """Candidate, then active, then retired; quarantined when it may never serve again."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    RETIRED = "retired"
    QUARANTINED = "quarantined"


@pghistory.track()
class ModelVersion(models.Model):
    """One trained model folder. ``trained_on`` holds the public ids of the governed items in its snapshot."""

    sha256 = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=12, choices=choices_of(VersionState), default=VersionState.CANDIDATE.value)
    provisional = models.BooleanField(
        default=False, help_text="In service although a baseline beats it; every answer says so."
    )
    preset = models.CharField(max_length=20)
    seed = models.PositiveIntegerField(default=0)
    data_sha256 = models.CharField(max_length=64)
    code_version = models.CharField(max_length=64)
    folder = models.CharField(max_length=300, help_text="Below the artefact root.")
    snapshot_folder = models.CharField(max_length=300, help_text="Below the artefact root.")
    include_drafts = models.BooleanField(default=False)
    trained_on = ArrayField(models.UUIDField(), default=list, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    gate = models.JSONField(default=dict, blank=True)
    marked_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When knowledge it was trained on was withheld. A marked model can't be promoted.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    promoted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=VersionState.ACTIVE.value), name="model_one_active"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in VersionState]), name="model_state_is_known"
            ),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="model_sha256_form"),
        ]

    def __str__(self) -> str:
        return f"{self.preset} {self.sha256[:12]}"
