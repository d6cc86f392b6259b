"""Studies of hyperparameters and their points, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from ethics.admin.base import ViewOnlyAdmin
from genomepath.models import TuningPoint, TuningStudy
from genomepath.models.tuning import PointState

STATE_COLOURS = {
    PointState.WAITING.value: "info",
    PointState.RUNNING.value: "info",
    PointState.DONE.value: "success",
    PointState.FAILED.value: "danger",
}


@admin.register(TuningStudy)
class TuningStudyAdmin(ViewOnlyAdmin):
    """Asked for by ``tune_genomepath``; nobody edits one."""

    list_display = ("__str__", "preset", "seed", "epochs", "progress", "requested_by", "requested_at", "finished_at")
    list_filter = ("preset", "requested_at")
    search_fields = ("=public_id", "requested_by", "data_sha256")
    readonly_fields = ("progress",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TuningStudy]:
        """With the number of its points, and of those that have ended."""
        ended = Q(points__state__in=[PointState.DONE.value, PointState.FAILED.value])
        found: QuerySet[TuningStudy] = super().get_queryset(request)
        return found.annotate(points_count=Count("points"), ended_count=Count("points", filter=ended))

    @admin.display(description="Points ended")
    def progress(self, study: TuningStudy) -> str:
        return f"{study.ended_count} of {study.points_count}"  # type: ignore[attr-defined]  # annotated


@admin.register(TuningPoint)
class TuningPointAdmin(ViewOnlyAdmin):
    """What each point of a grid reached on the validation pairs."""

    list_display = (
        "study", "number", "learning_rate", "batch_rows", "dropout", "bridge", "state_label", "mrr", "seconds", "attempt",
    )  # fmt: skip
    list_filter = ("state", "learning_rate", "batch_rows", "dropout", "bridge", "study")
    search_fields = ("=public_id", "error")
    list_select_related = ("study",)

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, point: TuningPoint) -> str:
        return point.state

    @admin.display(description="MRR", ordering="result__mrr")
    def mrr(self, point: TuningPoint) -> str:
        return f"{100 * point.result['mrr']:.1f}" if point.result else ""

    @admin.display(description="Seconds", ordering="result__seconds")
    def seconds(self, point: TuningPoint) -> str:
        return f"{point.result['seconds']:.1f}" if point.result else ""
