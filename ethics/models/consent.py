"""Consents: what a community allows, to whom, for what, and until when."""

from __future__ import annotations

import uuid

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from ethics.models.choices import choices_of
from ethics.models.community import Community
from ethics.models.governed_item import GovernedItem
from ethics.models.policy_revision import raises_policy_revision
from ethics.policy import Audience, ConsentState, Purpose


@pghistory.track()
class Consent(models.Model):
    """One decision of a community about some or all of its items."""

    SCOPES = [("items", "Named items"), ("community", "All items of the community")]

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    community = models.ForeignKey(Community, on_delete=models.PROTECT, related_name="consents")
    scope = models.CharField(max_length=10, choices=SCOPES, default="items")
    items: models.ManyToManyField[GovernedItem, ConsentItem] = models.ManyToManyField(
        GovernedItem, through="ConsentItem", blank=True, related_name="consents"
    )
    state = models.CharField(max_length=10, choices=choices_of(ConsentState), default=ConsentState.PENDING.value)
    purposes = ArrayField(models.CharField(max_length=12, choices=choices_of(Purpose)))
    audiences = ArrayField(models.CharField(max_length=12, choices=choices_of(Audience)))
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    document_reference = models.CharField(max_length=300, help_text="Where the evidence of the decision is kept.")
    document_sha256 = models.CharField(max_length=64, blank=True)
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
    )

    class Meta:
        ordering = ["-recorded_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in ConsentState]), name="consent_state_is_known"
            ),
            models.CheckConstraint(condition=Q(purposes__len__gt=0), name="consent_names_purpose"),
            models.CheckConstraint(condition=Q(audiences__len__gt=0), name="consent_names_audience"),
            models.CheckConstraint(
                condition=Q(purposes__contained_by=[purpose.value for purpose in Purpose]),
                name="consent_purposes_are_known",
            ),
            models.CheckConstraint(
                condition=Q(audiences__contained_by=[audience.value for audience in Audience]),
                name="consent_audiences_are_known",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="consent_interval_is_ordered",
            ),
            models.CheckConstraint(condition=~Q(document_reference=""), name="consent_has_document"),
            models.CheckConstraint(
                condition=Q(document_sha256="") | Q(document_sha256__regex=r"^[0-9a-f]{64}$"),
                name="consent_document_hash_is_sha256",
            ),
            models.CheckConstraint(
                condition=~Q(state=ConsentState.WITHDRAWN.value) | Q(withdrawn_at__isnull=False),
                name="consent_withdrawn_has_date",
            ),
        ]
        triggers = [raises_policy_revision()]

    def __str__(self) -> str:
        return f"{self.state} consent of {self.community}"


class ConsentItem(models.Model):
    """An item named by a consent."""

    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, related_name="consent_items")
    item = models.ForeignKey(GovernedItem, on_delete=models.CASCADE, related_name="consent_items")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consent", "item"], name="consent_item_once")]
        triggers = [raises_policy_revision()]

    def __str__(self) -> str:
        return f"{self.consent} for {self.item}"
