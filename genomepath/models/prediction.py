"""Published predictions: what a model version says for each practice and dose, and for each target."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q, QuerySet

from correlations.models import GenomicTarget, Practice
from correlations.vocabulary import Direction, Dose
from ethics.models import GovernedItem
from ethics.models.choices import choices_of
from genomepath.models.model_version import ModelVersion

if TYPE_CHECKING:
    from datetime import datetime

    from ethics.policy import Audience, Purpose


class PredictionQuerySet(QuerySet["Prediction"]):
    """Predictions, re-filtered by the policy on every read."""

    def permitted_for(self, purpose: Purpose, audience: Audience, now: datetime | None = None) -> Self:
        """Predictions of practices that may be used for this purpose and audience now."""
        return self.filter(practice__item__in=GovernedItem.objects.permitted_for(purpose, audience, now))


class Prediction(models.Model):
    """``dose`` is empty for the direction from target to practice. ``confidence`` is calibrated, in [0, 1].

    ``in_set`` says whether it is in the 90% set of its question; None for a model without sets.
    """

    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="predictions")
    direction = models.CharField(max_length=16, choices=choices_of(Direction))
    practice = models.ForeignKey(Practice, on_delete=models.CASCADE, related_name="predictions")
    target = models.ForeignKey(GenomicTarget, on_delete=models.CASCADE, related_name="predictions")
    dose = models.CharField(max_length=8, choices=choices_of(Dose), blank=True)
    rank = models.PositiveSmallIntegerField()
    score = models.FloatField()
    confidence = models.FloatField()
    in_set = models.BooleanField(null=True, blank=True)

    objects: ClassVar = PredictionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "direction", "practice", "target", "dose"], name="prediction_once"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0.0, confidence__lte=1.0), name="prediction_confidence_in_range"
            ),
            models.CheckConstraint(
                condition=(Q(direction=Direction.GENOMIC_TO_TK.value) & Q(dose=""))
                | Q(direction=Direction.TK_TO_GENOMIC.value, dose__in=[dose.value for dose in Dose]),
                name="prediction_dose_fits_direction",
            ),
        ]
        indexes = [
            models.Index(
                fields=["model_version", "direction", "practice", "dose", "rank"], name="prediction_by_practice"
            ),
            models.Index(fields=["model_version", "direction", "target", "rank"], name="prediction_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.practice} / {self.target} rank {self.rank}"
