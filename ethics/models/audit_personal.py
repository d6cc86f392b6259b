"""Personal data of the audit log, beside it: what its salted commitments stand for, until that is destroyed.

A commitment is SHA-256(salt || UTF-8 text) in hex. Without salt and text it can't be opened, and the log, which holds the
commitment alone, still verifies. Shredding empties both and is the one change that the database lets through.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

SALT_BYTES = 32
SHREDDED = "(name or text destroyed)"


class AuditIdentity(models.Model):
    """An actor's name under its commitment. A name has one row; a new one after it was shredded."""

    commitment = models.CharField(max_length=64, primary_key=True, editable=False)
    salt = models.BinaryField(null=True)
    name = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    shredded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "audit identities"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(shredded_at__isnull=True, salt__isnull=False) & ~models.Q(name="")
                | models.Q(shredded_at__isnull=False, salt__isnull=True, name=""),
                name="audit_identity_whole_or_shredded",
            ),
            models.UniqueConstraint(fields=["name"], condition=~models.Q(name=""), name="audit_identity_once_a_name"),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """The name, or that it was destroyed."""
        return self.name or SHREDDED


class AuditReason(models.Model):
    """The reason given with one event, under the commitment that the event holds."""

    event = models.OneToOneField(
        "ethics.AuditEvent",
        to_field="event_id",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="reason_record",
    )
    salt = models.BinaryField(null=True)
    text = models.CharField(max_length=300, blank=True)
    shredded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(shredded_at__isnull=True, salt__isnull=False) & ~models.Q(text="")
                | models.Q(shredded_at__isnull=False, salt__isnull=True, text=""),
                name="audit_reason_whole_or_shredded",
            ),
        ]

    def __str__(self) -> str:
        return self.text or SHREDDED
