"""Which sealed records lie in files instead of the event table. Rows are only ever inserted."""

from __future__ import annotations

from django.db import models


class AuditArchive(models.Model):
    """The range of leaves from ``first_index`` up to ``end_index`` (exclusive) whose events lie in a compressed file.

    Their leaves and heads stay in the database, which lets exactly these events be deleted, and by its owner alone.
    """

    first_index = models.PositiveBigIntegerField(unique=True)
    end_index = models.PositiveBigIntegerField(unique=True)
    file_name = models.CharField(max_length=100, unique=True)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, help_text="SHA-256 of the compressed file, in hex.")
    archived_at = models.DateTimeField()

    class Meta:
        ordering = ["first_index"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end_index__gt=models.F("first_index")), name="audit_archive_holds_records"
            ),
            models.CheckConstraint(
                condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="audit_archive_sha256_is_hex"
            ),
        ]

    def __str__(self) -> str:
        return f"records {self.first_index} to {self.end_index - 1}"
