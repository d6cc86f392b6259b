"""What an import did, and the rows that it could not accept."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ImportBatch(models.Model):
    """One import of one source. The same source twice is one batch: ``source_sha256`` is unique a kind."""

    kind = models.CharField(max_length=20)
    source_sha256 = models.CharField(max_length=64)
    report = models.JSONField(default=dict)
    started_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "import batches"
        constraints = [models.UniqueConstraint(fields=["kind", "source_sha256"], name="import_batch_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_sha256[:12]}"


class QuarantinedRow(models.Model):
    """A row that did not resolve: kept whole, with the reason, until a curator corrects or dismisses it."""

    STATES = [("open", "Open"), ("accepted", "Corrected and accepted"), ("dismissed", "Dismissed")]

    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="quarantined_rows")
    file_name = models.CharField(max_length=120)
    row_number = models.PositiveIntegerField()
    row_key = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=60, db_index=True)
    explanation = models.TextField()
    raw = models.TextField(help_text="The row as it was, as JSON text.")
    corrected = models.TextField(blank=True, help_text="The row as a curator corrected it, as JSON text.")
    state = models.CharField(max_length=10, choices=STATES, default="open")
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["batch", "file_name", "row_number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "file_name", "row_number"], name="quarantined_row_once"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "accepted", "dismissed"]), name="quarantined_row_state_is_known"
            ),
            models.CheckConstraint(condition=~Q(explanation=""), name="quarantined_row_has_explanation"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} row {self.row_number}: {self.reason}"
