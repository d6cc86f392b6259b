"""Withdrawal cases: what a decision took out of use, and what was then done about it, step by step."""

from __future__ import annotations

import uuid
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ethics.models.choices import choices_of
from ethics.models.community import Community


class WithdrawalCause(StrEnum):
    """What took the items out of use. ``EXPIRED`` comes by the clock, ``RECORD`` by another governance record."""

    WITHDRAWN = "withdrawn"
    DENIED = "denied"
    SUPERSEDED = "superseded"
    OBJECTED = "objected"
    STATUS = "status"
    LABEL = "label"
    RECORD = "record"
    EXPIRED = "expired"


class CaseState(StrEnum):
    """``OVERDUE``: the deadline passed before a model without the items could take over."""

    OPEN = "open"
    RETRAINING = "retraining"
    OVERDUE = "overdue"
    COMPLETED = "completed"


class WithdrawalCase(models.Model):
    """One decision over items of one community. It is written in the deciding transaction, so that no work can be lost.

    Items are named by public id: a case, its steps and its receipt hold identifiers, counts and hashes, no knowledge.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    community = models.ForeignKey(Community, on_delete=models.PROTECT, related_name="withdrawal_cases")
    cause = models.CharField(max_length=12, choices=choices_of(WithdrawalCause))
    consent_public_id = models.UUIDField(null=True, blank=True, help_text="The consent that was decided on, if any.")
    item_public_ids = ArrayField(models.UUIDField())
    state = models.CharField(max_length=12, choices=choices_of(CaseState), default=CaseState.OPEN.value, db_index=True)
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField(help_text="From then on no model that was trained on the items serves.")
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cause__in=[cause.value for cause in WithdrawalCause]), name="withdrawal_cause_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in CaseState]), name="withdrawal_state_is_known"
            ),
            models.CheckConstraint(condition=Q(item_public_ids__len__gt=0), name="withdrawal_names_items"),
            models.CheckConstraint(
                condition=Q(deadline_at__gte=models.F("opened_at")), name="withdrawal_deadline_after_opening"
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.COMPLETED.value, completed_at__isnull=False)
                | ~Q(state=CaseState.COMPLETED.value) & Q(completed_at__isnull=True),
                name="withdrawal_completed_has_date",
            ),
            models.UniqueConstraint(
                fields=["consent_public_id"],
                condition=Q(cause=WithdrawalCause.EXPIRED.value),
                name="withdrawal_expiry_once",
            ),
        ]

    def __str__(self) -> str:
        return f"withdrawal {str(self.public_id)[:8]}"


class WithdrawalStep(models.Model):
    """One thing done for a case: what, where, when, with the SHA-256 of each deleted file and the counts.

    ``done_at`` is empty while a deletion is announced and not yet finished: the hashes are stored before the files go.
    """

    case = models.ForeignKey(WithdrawalCase, on_delete=models.PROTECT, related_name="steps")
    what = models.CharField(max_length=40)
    where = models.CharField(max_length=100, help_text="The store, the model version or the run.")
    counts = models.JSONField(default=dict, blank=True)
    artefacts = models.JSONField(default=list, blank=True, help_text="Path and SHA-256 of each deleted file.")
    exports = models.JSONField(default=list, blank=True, help_text="Exports that held the items, with their notices.")
    begun_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["case", "what", "where"], name="withdrawal_step_once")]

    def __str__(self) -> str:
        return f"{self.what} in {self.where}"
