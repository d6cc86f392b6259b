"""Exports that were handed out: to whom, and which governed items they held."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from ethics.models.choices import choices_of
from ethics.policy import Audience, Purpose


class ExportRecord(models.Model):
    """One export. A withdrawal finds here who has to be told. It holds identifiers alone, none of the content."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    what = models.CharField(max_length=40, help_text="The kind of the export, such as a training set.")
    recipient = models.CharField(max_length=200, help_text="The person or organisation that it was made for.")
    data_sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=12, choices=choices_of(Purpose), help_text="What the policy was asked for.")
    audiences = ArrayField(
        models.CharField(max_length=12, choices=choices_of(Audience)),
        help_text="For whom the policy was asked; the items may be handed to each of them.",
    )
    item_public_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    exported_by = models.CharField(max_length=150)
    exported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-exported_at", "-id"]
        indexes = [GinIndex(fields=["item_public_ids"], name="export_item_public_ids")]
        constraints = [
            models.CheckConstraint(condition=~Q(recipient=""), name="export_has_recipient"),
            models.CheckConstraint(condition=Q(data_sha256__regex=r"^[0-9a-f]{64}$"), name="export_sha256_form"),
            models.CheckConstraint(condition=~Q(purpose=""), name="export_has_purpose"),
            models.CheckConstraint(condition=Q(audiences__len__gt=0), name="export_names_audience"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {str(self.public_id)[:8]}"
