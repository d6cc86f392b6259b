"""Published predictions, filtered by the policy on every look."""

from __future__ import annotations

from django.contrib import admin

from ethics.admin.base import ViewOnlyAdmin
from genomepath.models import Prediction


@admin.register(Prediction)
class PredictionAdmin(ViewOnlyAdmin):
    """What each model version says."""

    item_path = "practice__item"
    list_display = ("practice", "target", "direction", "dose", "rank", "confidence_shown", "in_set", "model_version")
    list_filter = ("direction", "dose", "model_version")
    search_fields = ("practice__title", "practice__slug", "target__symbol", "model_version__sha256")
    list_select_related = ("practice", "target", "model_version")
    ordering = ("model_version", "direction", "practice", "dose", "rank")

    @admin.display(description="Confidence", ordering="confidence")
    def confidence_shown(self, prediction: Prediction) -> str:
        return f"{prediction.confidence:.2f}"
