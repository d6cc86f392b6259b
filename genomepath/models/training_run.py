"""A piece of work for the ML worker: a row from the request to its end."""

from __future__ import annotations

import uuid
from enum import StrEnum

from django.db import models
from django.db.models import Q

from ethics.models.choices import choices_of


class RunKind(StrEnum):
    """What the worker does."""

    TRAINING = "training"
    EVALUATION = "evaluation"
    PUBLICATION = "publication"


class RunState(StrEnum):
    """``LOST``: the worker stopped reporting; the run was queued again and goes on where it was cut off."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"


class TrainingRun(models.Model):
    """Its state, progress, heartbeat, log and error are what the admin shows while the worker works."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=choices_of(RunKind), default=RunKind.TRAINING.value)
    state = models.CharField(max_length=10, choices=choices_of(RunState), default=RunState.QUEUED.value, db_index=True)
    preset = models.CharField(max_length=20, default="spec")
    parameters = models.JSONField(default=dict, blank=True)
    seed = models.PositiveIntegerField(default=0)
    include_drafts = models.BooleanField(default=False)
    model_version = models.ForeignKey(
        "genomepath.ModelVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    data_sha256 = models.CharField(max_length=64, blank=True)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    log = models.TextField(blank=True)
    error = models.TextField(blank=True)
    requested_by = models.CharField(max_length=150)
    requested_role = models.CharField(max_length=60, default="system")
    request_id = models.CharField(max_length=64, blank=True)
    attempt = models.PositiveIntegerField(default=0, help_text="How often a process has taken the run up.")
    requested_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(null=True, blank=True, help_text="When it was last handed to the queue.")
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in RunState]), name="run_state_is_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in RunKind]), name="run_kind_is_known"),
            models.CheckConstraint(
                condition=Q(progress_total=0) | Q(progress_done__lte=models.F("progress_total")),
                name="run_progress_within_total",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.FAILED.value) | ~Q(error=""), name="run_failed_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.public_id)[:8]}"
