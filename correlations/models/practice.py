"""Traditional practices, what they are documented for, and their dosage profiles."""

from __future__ import annotations

from typing import ClassVar

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from correlations.models.evidence import Condition, Evidence
from correlations.querysets import DosageProfileQuerySet, PracticeQuerySet
from correlations.vocabulary import Dose, DoseBasis, EvidenceLevel, Origin
from ethics.models import GovernedItem
from ethics.models.choices import choices_of
from ethics.models.policy_revision import raises_policy_revision


@pghistory.track()
class Practice(models.Model):
    """A documented use. Its governed item says whose it is and who may use it."""

    item = models.OneToOneField(GovernedItem, on_delete=models.PROTECT, related_name="practice")
    slug = models.SlugField(max_length=120, unique=True)
    title = models.CharField(max_length=300)
    tradition = models.CharField(max_length=200)
    region = models.CharField(max_length=200, blank=True)
    period = models.CharField(max_length=200, blank=True)
    plant_part = models.CharField(max_length=200, blank=True)
    preparation = models.TextField(blank=True)
    route = models.CharField(max_length=120, blank=True)
    contraindications = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    cultural_context = models.TextField(blank=True)
    evidence_level = models.CharField(
        max_length=24, choices=choices_of(EvidenceLevel), default=EvidenceLevel.UNGRADED.value
    )
    sources: models.ManyToManyField[Evidence, models.Model] = models.ManyToManyField(
        Evidence, blank=True, related_name="practices"
    )
    indications: models.ManyToManyField[Condition, PracticeIndication] = models.ManyToManyField(
        Condition, through="PracticeIndication", related_name="practices"
    )
    origin = models.CharField(max_length=10, choices=choices_of(Origin), default=Origin.MANUAL.value)
    external_id = models.CharField(max_length=80, blank=True, help_text="The id in the system it was imported from.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = PracticeQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="practice_has_title"),
            models.CheckConstraint(condition=~Q(tradition=""), name="practice_has_tradition"),
            models.UniqueConstraint(
                fields=["origin", "external_id"], condition=~Q(external_id=""), name="practice_external_id_once"
            ),
        ]
        # Who may use a practice changes with its item, not with its wording.
        triggers = [raises_policy_revision(pgtrigger.UpdateOf("item_id") | pgtrigger.Delete)]  # type: ignore[no-untyped-call]

    def __str__(self) -> str:
        return self.title


@pghistory.track()
class PracticeIndication(models.Model):
    """A condition for which a practice is documented; ``position`` keeps the order of the source."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="practice_indications")
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="practice_indications")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["practice", "position"]
        constraints = [models.UniqueConstraint(fields=["practice", "condition"], name="practice_indication_once")]

    def __str__(self) -> str:
        return f"{self.practice}: {self.condition}"


@pghistory.track()
class DosageProfile(models.Model):
    """What is recorded of a dose level of a practice. ``amount_range`` is empty where no source resolves it."""

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="dosage_profiles")
    level = models.CharField(max_length=8, choices=choices_of(Dose))
    amount_range = models.CharField(max_length=120, blank=True)
    basis = models.CharField(max_length=10, choices=choices_of(DoseBasis))
    note = models.CharField(max_length=300, blank=True)
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects: ClassVar = DosageProfileQuerySet.as_manager()

    class Meta:
        ordering = ["practice", "id"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "level"], name="dosage_profile_once_a_level"),
            models.CheckConstraint(condition=Q(level__in=[dose.value for dose in Dose]), name="dosage_level_is_known"),
            models.CheckConstraint(
                condition=Q(basis=DoseBasis.MODELLED.value) | (Q(basis=DoseBasis.SOURCED.value) & ~Q(amount_range="")),
                name="dosage_sourced_names_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practice}: {self.level}"
