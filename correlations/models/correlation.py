"""Correlations between practices and targets, and pairs of targets that act together."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

from correlations.models.evidence import Evidence
from correlations.models.practice import Practice
from correlations.models.target import GenomicTarget
from correlations.querysets import CorrelationQuerySet
from correlations.scoring import GOOD_FROM, MODERATE_FROM
from correlations.vocabulary import Direction, Dose, DoseBasis, Origin, Quality, ReviewStatus
from ethics.models.choices import choices_of


@pghistory.track()
class Correlation(models.Model):
    """A practice associated with a target at a dose, found in one direction.

    ``confidence`` in (0, 1] and its parts come from ``correlations.scoring`` or from the importing system;
    ``evidence_path`` lists the steps from practice to target, each with kind, id, label and source.
    """

    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="correlations")
    target = models.ForeignKey(GenomicTarget, on_delete=models.PROTECT, related_name="correlations")
    direction = models.CharField(max_length=16, choices=choices_of(Direction))
    dose = models.CharField(max_length=8, choices=choices_of(Dose))
    dose_basis = models.CharField(max_length=10, choices=choices_of(DoseBasis), default=DoseBasis.MODELLED.value)
    mechanism = models.TextField(blank=True)
    confidence = models.FloatField()
    confidence_parts = models.JSONField(default=dict, blank=True)
    quality = models.CharField(max_length=10, choices=choices_of(Quality))
    evidence_path = models.JSONField(default=list, blank=True)
    evidence: models.ManyToManyField[Evidence, CorrelationEvidence] = models.ManyToManyField(
        Evidence, through="CorrelationEvidence", blank=True, related_name="correlations"
    )
    status = models.CharField(
        max_length=10, choices=choices_of(ReviewStatus), default=ReviewStatus.DRAFT.value, db_index=True
    )
    origin = models.CharField(max_length=10, choices=choices_of(Origin), default=Origin.MANUAL.value)
    external_id = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = CorrelationQuerySet.as_manager()

    class Meta:
        ordering = ["practice", "target", "dose", "direction"]
        constraints = [
            models.UniqueConstraint(
                fields=["practice", "target", "direction", "dose"], name="correlation_once_a_direction_and_dose"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gt=0.0, confidence__lte=1.0), name="correlation_confidence_in_range"
            ),
            models.CheckConstraint(
                condition=Q(quality__in=[quality.value for quality in Quality]), name="correlation_quality_is_known"
            ),
            models.CheckConstraint(
                condition=Q(quality=Quality.GOOD.value, confidence__gte=GOOD_FROM)
                | Q(quality=Quality.MODERATE.value, confidence__gte=MODERATE_FROM, confidence__lt=GOOD_FROM)
                | Q(quality=Quality.POOR.value, confidence__lt=MODERATE_FROM),
                name="correlation_quality_fits_confidence",
            ),
            models.CheckConstraint(
                condition=Q(direction__in=[direction.value for direction in Direction]),
                name="correlation_direction_is_known",
            ),
            models.CheckConstraint(
                condition=Q(dose__in=[dose.value for dose in Dose]), name="correlation_dose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in ReviewStatus]), name="correlation_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practice} / {self.target} ({self.dose}, {self.direction})"


class CorrelationEvidence(models.Model):
    """An evidence row on which a correlation rests."""

    correlation = models.ForeignKey(Correlation, on_delete=models.CASCADE, related_name="evidence_links")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="correlation_links")

    class Meta:
        verbose_name_plural = "correlation evidence"
        constraints = [models.UniqueConstraint(fields=["correlation", "evidence"], name="correlation_evidence_once")]

    def __str__(self) -> str:
        return f"{self.evidence} for {self.correlation}"


@pghistory.track()
class SynergyPair(models.Model):
    """An unordered pair of targets with a documented interaction; stored with the smaller symbol's row first."""

    target_a = models.ForeignKey(GenomicTarget, on_delete=models.PROTECT, related_name="synergies_as_first")
    target_b = models.ForeignKey(GenomicTarget, on_delete=models.PROTECT, related_name="synergies_as_second")
    interaction = models.TextField()
    kind = models.CharField(max_length=120)
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="synergies")

    class Meta:
        ordering = ["target_a", "target_b"]
        constraints = [
            models.UniqueConstraint(
                Least("target_a", "target_b"), Greatest("target_a", "target_b"), name="synergy_pair_once"
            ),
            models.CheckConstraint(condition=~Q(target_a=F("target_b")), name="synergy_pair_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.target_a} and {self.target_b}"
