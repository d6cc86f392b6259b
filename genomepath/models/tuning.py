"""A study of hyperparameters: a grid of points over one snapshot, each done once whatever kills its worker."""

from __future__ import annotations

import uuid
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ethics.models.choices import choices_of


class PointState(StrEnum):
    """A running point whose worker has stopped reporting waits again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TuningStudy(models.Model):
    """One grid on one snapshot with one seed and one state of the code; asked for again, it is the same study.

    ``trained_on`` holds the public ids of the governed items in the snapshot.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    preset = models.CharField(max_length=20)
    seed = models.PositiveIntegerField()
    epochs = models.PositiveIntegerField(help_text="At most so many for a point.")
    include_drafts = models.BooleanField()
    data_sha256 = models.CharField(max_length=64)
    trained_on = ArrayField(models.UUIDField(), default=list, blank=True)
    code_version = models.CharField(max_length=64)
    requested_by = models.CharField(max_length=150)
    requested_role = models.CharField(max_length=60, default="system")
    request_id = models.CharField(max_length=64, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        verbose_name_plural = "tuning studies"
        constraints = [
            models.UniqueConstraint(
                fields=["preset", "seed", "epochs", "include_drafts", "data_sha256", "code_version"],
                name="tuning_study_once",
            ),
            models.CheckConstraint(condition=Q(data_sha256__regex=r"^[0-9a-f]{64}$"), name="tuning_sha256_form"),
        ]

    def __str__(self) -> str:
        return f"tuning {self.preset} {str(self.public_id)[:8]}"


class TuningPoint(models.Model):
    """One point of the grid. ``result`` holds numbers alone, as ``genomepath.ml.tuning.TuningResult`` names them."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    study = models.ForeignKey(TuningStudy, on_delete=models.CASCADE, related_name="points")
    number = models.PositiveSmallIntegerField()
    learning_rate = models.FloatField()
    batch_rows = models.PositiveIntegerField()
    dropout = models.FloatField()
    bridge = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=choices_of(PointState), default=PointState.WAITING.value)
    attempt = models.PositiveIntegerField(default=0, help_text="How often a process has taken the point up.")
    result = models.JSONField(default=dict, blank=True)
    error = models.CharField(max_length=500, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="tuning_point_once"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in PointState]), name="tuning_point_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=PointState.DONE.value) | ~Q(result={}), name="tuning_point_done_has_result"
            ),
            models.CheckConstraint(
                condition=~Q(state=PointState.FAILED.value) | ~Q(error=""), name="tuning_point_failed_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} point {self.number}"

    @property
    def hyperparameters(self) -> dict[str, float]:
        """As the configuration of the model takes them."""
        return {
            "learning_rate": self.learning_rate,
            "batch_rows": self.batch_rows,
            "dropout": self.dropout,
            "bridge": self.bridge,
        }
