"""The audit log's table. Rows are only ever inserted; triggers refuse anything else."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull

from ethics.models.audit_personal import SHREDDED, AuditIdentity


class CurrentTransaction(models.Func):
    """The id of the running top-level transaction; it never wraps."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = models.TextField()


# Not the operator for keys: the planner would count its rarity beside that of the reason itself.
GIVES_REASONS = models.Q(IsNull(KeyTransform("reasons", "details"), False))
"""The condition that an event's details give reasons, as the indexes have it."""


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Reads of the log."""

    def with_people(self) -> AuditEventQuerySet:
        """With actors and reasons, so that a list needs no query an event."""
        return self.select_related("actor", "reason_record")


class AuditEvent(models.Model):
    """One event. ``canonical`` is the text (RFC 8785) that the log hashes; the columns repeat it for search.

    Personal data stand outside of it: ``actor`` and ``reason_commitment`` are salted commitments, whose texts are kept in
    ``AuditIdentity`` and ``AuditReason`` until they are shredded.
    """

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event_type = models.CharField(max_length=60)
    occurred_at = models.DateTimeField()
    # Without a constraint in the database: the insert itself proves that the identity exists, and locks no row of it.
    actor = models.ForeignKey(
        AuditIdentity,
        on_delete=models.DO_NOTHING,
        db_column="actor",
        db_constraint=False,
        db_index=False,
        related_name="acts",
    )
    actor_role = models.CharField(max_length=60)
    client_id = models.CharField(max_length=40, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    purpose = models.CharField(max_length=12, blank=True)
    policy_revision = models.PositiveBigIntegerField()
    model_sha256 = models.CharField(max_length=64, blank=True)
    subject_ids = ArrayField(models.CharField(max_length=120), default=list)
    community_ids = ArrayField(models.CharField(max_length=80), default=list)
    reason_commitment = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    canonical = models.TextField()
    xid = models.BigIntegerField(
        db_default=Cast(Cast(CurrentTransaction(), models.TextField()), models.BigIntegerField()),
        editable=False,
        help_text="The inserting transaction, by which the sealer finds what was committed late.",
    )

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        # Named here and not at the fields, where Django would add a second index for LIKE to each text.
        indexes = [
            # Each filter of the desk reads its newest page in the order of the index, at any depth.
            models.Index(fields=["occurred_at", "id"], name="audit_newest"),
            models.Index(fields=["event_type", "occurred_at", "id"], name="audit_newest_of_type"),
            models.Index(fields=["actor", "occurred_at", "id"], name="audit_newest_of_actor"),
            models.Index(fields=["client_id", "occurred_at", "id"], name="audit_newest_of_client"),
            models.Index(fields=["request_id"], name="audit_request_id"),
            models.Index(fields=["xid"], name="audit_xid"),
            GinIndex(fields=["subject_ids"], name="audit_subject_ids"),
            GinIndex(fields=["community_ids"], name="audit_community_ids"),
            # Frequent reasons are read by time, rare ones by themselves.
            models.Index(fields=["occurred_at", "id"], condition=GIVES_REASONS, name="audit_newest_with_reasons"),
            GinIndex(
                fields=["details"], opclasses=["jsonb_path_ops"], condition=GIVES_REASONS, name="audit_refusal_reasons"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} at {self.occurred_at:%Y-%m-%d %H:%M:%S}"

    @property
    def actor_name(self) -> str:
        """Who acted; ``SHREDDED`` once the name was destroyed."""
        return self.actor.shown_name

    @property
    def reason(self) -> str:
        """Why; empty where no reason was given, ``SHREDDED`` once it was destroyed."""
        if not self.reason_commitment:
            return ""
        try:
            return self.reason_record.text or SHREDDED
        except ObjectDoesNotExist:
            return SHREDDED
