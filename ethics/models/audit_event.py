"""The audit log's table. Rows are only ever inserted; the database refuses anything else."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class AuditEvent(models.Model):
    """One event. ``canonical`` is the text (RFC 8785) that later hashing covers; the columns repeat it for search."""

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event_type = models.CharField(max_length=60, db_index=True)
    occurred_at = models.DateTimeField(db_index=True)
    actor_name = models.CharField(max_length=150)
    actor_role = models.CharField(max_length=60)
    client_id = models.CharField(max_length=40, blank=True, db_index=True)
    request_id = models.CharField(max_length=64, blank=True, db_index=True)
    purpose = models.CharField(max_length=12, blank=True)
    policy_revision = models.PositiveBigIntegerField()
    model_sha256 = models.CharField(max_length=64, blank=True)
    subject_ids = ArrayField(models.CharField(max_length=120), default=list)
    community_ids = ArrayField(models.CharField(max_length=80), default=list)
    reason = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)
    canonical = models.TextField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            GinIndex(fields=["subject_ids"], name="audit_subject_ids"),
            GinIndex(fields=["community_ids"], name="audit_community_ids"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="append_only",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
                func="RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} at {self.occurred_at:%Y-%m-%d %H:%M:%S}"
