"""What the model registry tells the compliance desk: models marked by withdrawals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from ethics.desk.alerts import MOST_OF_A_SOURCE, Alert, AlertSource, register_alert_source
from genomepath.models import ModelVersion

MODEL = "model"


def _marked_models(now: datetime) -> Iterator[Alert]:
    marked = ModelVersion.objects.filter(marked_at__isnull=False).order_by("-marked_at")
    for version in marked.only("sha256", "state", "preset", "marked_at")[:MOST_OF_A_SOURCE]:
        assert version.marked_at is not None  # noqa: S101  filtered above
        yield Alert(
            key=f"{MODEL}:{version.sha256}",
            kind=MODEL,
            summary=f"Model {version} learned from knowledge that was withheld since; it is {version.state} now.",
            latest_at=version.marked_at,
            subjects=[version.sha256],
            link=reverse("admin:genomepath_modelversion_change", args=[version.pk]),
            link_text="The model",
        )


register_alert_source(
    AlertSource(
        MODEL,
        "Models marked by withdrawals",
        "It can't be promoted unless a new training on what may be used gives the same model. See that it is replaced, and "
        "what the receipt of the withdrawal says.",
        _marked_models,
    )
)
