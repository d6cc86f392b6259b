"""The governed item: the part of a piece of knowledge that decides who may use it."""

from __future__ import annotations

import uuid
from typing import ClassVar

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from ethics.models.choices import choices_of
from ethics.models.community import Community
from ethics.models.policy_revision import raises_policy_revision
from ethics.policy import Basis, LabelRule, SacredStatus
from ethics.querysets import GovernedItemQuerySet


def _renews_version(*columns: str) -> pgtrigger.Trigger:
    """A trigger that names another version whenever one of the texts changes, raw SQL included."""
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    return pgtrigger.Trigger(
        name="renew_version",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"IF {changed} THEN NEW.version := gen_random_uuid(); END IF; RETURN NEW;",
    )


@pghistory.track()
class Label(models.Model):
    """A Traditional Knowledge or Biocultural label of the Local Contexts vocabulary, with the rule it makes act."""

    KINDS = [("TK", "Traditional Knowledge"), ("BC", "Biocultural"), ("notice", "Notice")]

    code = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=KINDS)
    name = models.CharField(max_length=120)
    meaning = models.TextField(help_text="In our own words.")
    source_url = models.URLField()
    rule = models.CharField(max_length=20, choices=choices_of(LabelRule), default=LabelRule.NONE.value)
    version = models.UUIDField(
        default=uuid.uuid4,
        db_default=RandomUUID(),
        editable=False,
        help_text="Names the present text; changes with it.",
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(rule__in=[rule.value for rule in LabelRule]), name="label_rule_is_known")
        ]
        triggers = [raises_policy_revision(), _renews_version("code", "name", "meaning", "source_url")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


@pghistory.track()
class GovernedItem(models.Model):
    """What the policy decides over. A sacred item holds a community, a status and protected names, nothing else."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    display_label = models.CharField(max_length=300, blank=True)
    community = models.ForeignKey(Community, on_delete=models.PROTECT, related_name="items")
    sacred_status = models.CharField(max_length=12, choices=choices_of(SacredStatus), default=SacredStatus.NONE.value)
    basis = models.CharField(max_length=12, choices=choices_of(Basis), default=Basis.NONE.value)
    basis_source = models.TextField(
        blank=True, help_text="Where the knowledge is documented and published. Required for that basis."
    )
    objection_at = models.DateTimeField(
        null=True, blank=True, help_text="When the community objected. An objection beats every basis of use."
    )
    objection_reference = models.CharField(max_length=300, blank=True)
    protected_names = ArrayField(
        models.CharField(max_length=300),
        default=list,
        blank=True,
        help_text="Names that no answer may reveal. Visible to stewards and officers only.",
    )
    labels: models.ManyToManyField[Label, ItemLabel] = models.ManyToManyField(
        Label, through="ItemLabel", blank=True, related_name="items"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar = GovernedItemQuerySet.as_manager()

    class Meta:
        ordering = ["display_label", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sacred_status__in=[status.value for status in SacredStatus]),
                name="item_sacred_status_is_known",
            ),
            models.CheckConstraint(condition=Q(basis__in=[basis.value for basis in Basis]), name="item_basis_is_known"),
            models.CheckConstraint(
                condition=~Q(basis=Basis.DOCUMENTED.value) | ~Q(basis_source=""),
                name="item_documented_basis_names_source",
            ),
            models.CheckConstraint(
                condition=~Q(sacred_status=SacredStatus.SACRED.value)
                | Q(display_label="", basis=Basis.NONE.value, basis_source=""),
                name="item_sacred_holds_no_detail",
            ),
        ]
        triggers = [raises_policy_revision()]

    def __str__(self) -> str:
        return self.display_label or f"withheld item {self.public_id}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class ItemLabel(models.Model):
    """A label that a community has put on an item, with the community's own text where it gave one.

    Its history keeps who put it on, changed its text or took it off, when, and every text with its version.
    """

    item = models.ForeignKey(GovernedItem, on_delete=models.CASCADE, related_name="item_labels")
    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="item_labels")
    community_text = models.TextField(blank=True)
    version = models.UUIDField(
        default=uuid.uuid4,
        db_default=RandomUUID(),
        editable=False,
        help_text="Names the present text; changes with it.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "label"], name="item_label_once")]
        triggers = [raises_policy_revision(), _renews_version("label_id", "community_text")]

    def __str__(self) -> str:
        return f"{self.label.code} on {self.item}"


@pghistory.track()
class Attribution(models.Model):
    """The statement that goes with every use of an item. Without it an item is not used."""

    item = models.OneToOneField(GovernedItem, on_delete=models.CASCADE, related_name="attribution")
    statement = models.TextField()
    credited_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(statement=""), name="attribution_has_statement")]
        triggers = [raises_policy_revision()]

    def __str__(self) -> str:
        return f"attribution of {self.item}"
