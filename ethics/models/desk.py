"""What the compliance desk stores: what officers said about alerts, and the filters that each of them keeps.

Notes are guarded like the log (migration 0010): rows are only ever inserted.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from ethics.models.audit_personal import AuditIdentity


class AlertNote(models.Model):
    """An annotation or a closing of an alert. Its text is the reason of the event, so that both can be shredded at once.

    Alerts themselves are found, not stored: ``alert_key`` names one. A closing covers what had happened until
    ``seen_until``; what happens later opens the alert again.
    """

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="The event that says so.")
    alert_key = models.CharField(max_length=200, db_index=True)
    kind = models.CharField(max_length=60)
    closes = models.BooleanField(default=False)
    seen_until = models.DateTimeField(help_text="The latest occurrence that the officer was shown.")
    author = models.ForeignKey(
        AuditIdentity, on_delete=models.DO_NOTHING, db_constraint=False, related_name="alert_notes"
    )
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["-written_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(alert_key=""), name="alert_note_names_alert"),
            models.UniqueConstraint(
                fields=["alert_key", "seen_until"], condition=Q(closes=True), name="alert_note_closes_once"
            ),
        ]
        indexes = [models.Index(fields=["written_at", "id"], condition=Q(closes=True), name="alert_note_closings")]

    def __str__(self) -> str:
        return f"{'closing' if self.closes else 'note'} on {self.alert_key}"


class SavedFilter(models.Model):
    """Search terms of the event list that one officer keeps under a name."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=80)
    terms = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_filter_once_a_name"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_filter_has_name"),
        ]

    def __str__(self) -> str:
        return self.name
