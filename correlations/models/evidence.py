"""Conditions with their identifiers, and the evidence rows that cite a source."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import Q

from correlations.vocabulary import EvidenceLevel
from ethics.models.choices import choices_of


@pghistory.track()
class Condition(models.Model):
    """A disease or symptom. ``broader`` is the hand-curated step from a symptom to the condition it belongs to."""

    name = models.CharField(max_length=200, unique=True)
    mesh_id = models.CharField(max_length=12, blank=True)
    mondo_id = models.CharField(max_length=16, blank=True)
    broader: models.ManyToManyField[Condition, models.Model] = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="narrower"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="condition_has_name"),
            models.CheckConstraint(
                condition=Q(mesh_id="") | Q(mesh_id__regex=r"^[CD]\d{6,9}$"), name="condition_mesh_id_form"
            ),
            models.CheckConstraint(
                condition=Q(mondo_id="") | Q(mondo_id__regex=r"^MONDO:\d{7}$"), name="condition_mondo_id_form"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Evidence(models.Model):
    """One citable source and what it says. ``key`` is the stable identity of a row of an imported or bundled source."""

    key = models.CharField(max_length=120, unique=True)
    reference = models.TextField()
    pmid = models.CharField(max_length=10, blank=True)
    doi = models.CharField(max_length=120, blank=True)
    source_url = models.TextField(blank=True)
    level = models.CharField(max_length=24, choices=choices_of(EvidenceLevel), default=EvidenceLevel.UNGRADED.value)
    verified = models.BooleanField(default=False)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    target = models.ForeignKey(
        "correlations.GenomicTarget", on_delete=models.PROTECT, null=True, blank=True, related_name="evidence"
    )
    conditions: models.ManyToManyField[Condition, models.Model] = models.ManyToManyField(
        Condition, blank=True, related_name="evidence"
    )
    compound = models.CharField(max_length=200, blank=True)
    mechanism = models.TextField(blank=True)
    effect = models.CharField(max_length=120, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Evidence]] = models.Manager()

    class Meta:
        ordering = ["key"]
        verbose_name_plural = "evidence"
        constraints = [
            models.CheckConstraint(condition=~Q(reference=""), name="evidence_has_reference"),
            models.CheckConstraint(condition=Q(pmid="") | Q(pmid__regex=r"^\d{1,9}$"), name="evidence_pmid_form"),
            models.CheckConstraint(condition=Q(doi="") | Q(doi__startswith="10."), name="evidence_doi_form"),
            models.CheckConstraint(
                condition=Q(level__in=[level.value for level in EvidenceLevel]), name="evidence_level_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.reference[:80]}"
