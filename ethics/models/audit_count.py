"""Daily counts of sealed events, kept by the sealer so that charts need not read a million events."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class AuditDailyCount(models.Model):
    """How many sealed events a UTC day has, by community, type and refusal reason; empty where there is none.

    Clients are no part of it: by day, community and client most counts are 1, and the table as large as the log.

    An event of several communities or reasons counts once for each pair of them. The rows follow from the events and can
    be made anew; they are no part of what the log proves.
    """

    day = models.DateField()
    community = models.CharField(max_length=80, blank=True)
    event_type = models.CharField(max_length=60)
    reason = models.CharField(max_length=120, blank=True)
    times = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["-day", "event_type", "community"]
        constraints = [
            models.UniqueConstraint(fields=["day", "event_type", "community", "reason"], name="audit_daily_count_once"),
            models.CheckConstraint(condition=Q(times__gt=0), name="audit_daily_count_is_positive"),
        ]
        indexes = [models.Index(fields=["event_type", "day"], name="audit_daily_count_type_day")]

    def __str__(self) -> str:
        return f"{self.times} {self.event_type} on {self.day}"
