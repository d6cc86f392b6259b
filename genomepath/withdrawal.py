"""What the model registry does when governed items leave use."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from ethics import audit
from genomepath.models import ModelVersion


def mark_models_of_withheld_items(public_ids: Collection[UUID]) -> None:
    """Mark every model version trained on one of the items: it can't be promoted any more."""
    marked = ModelVersion.objects.select_for_update().filter(
        trained_on__overlap=list(public_ids), marked_at__isnull=True
    )
    for version in marked:
        version.marked_at = timezone.now()
        version.save(update_fields=["marked_at"])
        audit.record("model.marked", subjects=[version.sha256], model_sha256=version.sha256)
