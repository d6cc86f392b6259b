"""Model versions: what they measure, what the gate says, and the buttons that act on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from ethics.admin.base import ViewOnlyAdmin
from ethics.admin.form_page import ConfirmationForm, FormPage, form_page, object_url
from ethics.audit import current_context
from genomepath.admin.metrics import METRIC_HEADERS, metric_rows, target_rows
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind

STATE_COLOURS = {
    VersionState.CANDIDATE.value: "info",
    VersionState.ACTIVE.value: "success",
    VersionState.RETIRED.value: "warning",
    VersionState.QUARANTINED.value: "danger",
}


@admin.register(ModelVersion)
class ModelVersionAdmin(ViewOnlyAdmin):
    """The registry. A version goes into service through the gate alone, and may come back later.

    Which items it was trained on is not shown.
    """

    list_display = (
        "short_sha256",
        "state_label",
        "provisional_label",
        "preset",
        "gate_label",
        "marked",
        "created_at",
        "promoted_by",
    )
    list_display_links = ("short_sha256",)
    list_filter = ("state", "provisional", "preset", "created_at")
    search_fields = ("sha256", "data_sha256", "preset")
    fieldsets = (
        (None, {"fields": ("sha256", "state", "provisional", "preset", "seed", "include_drafts", "trained_on_count")}),
        ("Origin", {"fields": ("data_sha256", "code_version", "runs_list")}),
        ("Service", {"fields": ("marked_at", "created_at", "promoted_at", "promoted_by")}),
    )
    readonly_fields = ("trained_on_count", "runs_list")
    hidden_history_fields = ("trained_on", "metrics", "gate")
    change_form_outer_before_template = "admin/genomepath/version_summary.html"
    actions_detail = ("promote", "roll_back", "evaluate", "publish")

    @admin.display(description="Version", ordering="sha256")
    def short_sha256(self, version: ModelVersion) -> str:
        return version.sha256[:12]

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, version: ModelVersion) -> str:
        return version.state

    @display(description="Provisional", label={"provisional": "warning"})
    def provisional_label(self, version: ModelVersion) -> str:
        return "provisional" if version.provisional else ""

    @display(description="Gate", label={"passed": "success", "refused": "danger"})
    def gate_label(self, version: ModelVersion) -> str:
        return {True: "passed", False: "refused"}.get(version.gate.get("passed"), "not asked yet")

    @display(description="Marked", label={"marked": "danger"})
    def marked(self, version: ModelVersion) -> str:
        return "marked" if version.marked_at else ""

    @admin.display(description="Trained on")
    def trained_on_count(self, version: ModelVersion) -> str:
        return f"{len(version.trained_on)} governed items"

    @admin.display(description="Runs")
    def runs_list(self, version: ModelVersion) -> SafeString | str:
        runs = list(version.runs.all()[:20])
        links = [
            format_html('<a class="text-link" href="{}">{} ({})</a>', object_url(run), run, run.state) for run in runs
        ]
        return format_html_join(", ", "{}", ((link,) for link in links)) if links else "none"

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """The buttons of a version's page; it can be rolled back to where it was in service before alone."""
        offered: list[UnfoldAction] = super().get_actions_detail(request, object_id)
        version = self.get_object(request, str(object_id))
        if version is not None and version.state == VersionState.RETIRED:
            return offered
        return [button for button in offered if button.path != "roll-back"]

    def has_promote_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may put versions into service."""
        return bool(request.user.has_perm("genomepath.change_modelversion"))

    def has_work_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may ask for runs on a version."""
        return bool(request.user.has_perm("genomepath.add_trainingrun"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if version is not None:
            context = {
                "version": version,
                "rules": gate_rules(version.gate),
                "target_rows": target_rows(version.metrics),
                "metric_headers": METRIC_HEADERS,
                "metric_rows": metric_rows(version.metrics),
            }
        response: HttpResponse = super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
        return response

    @action(description="Promote", url_path="promote", permissions=["promote"])
    def promote(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the gate, and put the version into service where it passes."""
        from genomepath.registry import model_promote

        page = FormPage(
            title="Promote",
            intro=(
                "The gate looks at leakage checks, the ethics scan, attribution, ONNX parity, calibration, the baselines "
                "and the active model. Where it passes, this version's predictions are published and the active one retires."
            ),
            submit_label="Promote",
        )
        promote = partial(model_promote, promoted_by=request.user.get_username())
        return self._put_into_service(request, object_id, page, promote)

    @action(description="Roll back to this", url_path="roll-back", permissions=["promote"])
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put a version back that was in service before."""
        from genomepath.registry import model_roll_back

        page = FormPage(
            title="Roll back to",
            intro=(
                "A version that was in service before goes back into service, although the active one may score higher. It "
                "must not be marked; its files, the ethics scan and the attribution are looked at again."
            ),
            submit_label="Roll back",
        )
        roll_back = partial(model_roll_back, rolled_back_by=request.user.get_username())
        return self._put_into_service(request, object_id, page, roll_back)

    def _put_into_service(
        self, request: HttpRequest, object_id: str, page: FormPage, service: Callable[..., ModelVersion]
    ) -> HttpResponse:
        version = self.record_or_404(request, object_id)
        refusals: list[str] = []
        if request.method == "POST":
            try:
                serving = service(version=version)
            except ValidationError as error:
                refusals = error.messages
            else:
                note = (
                    " It is provisional: a baseline beats it, and every answer says so." if serving.provisional else ""
                )
                messages.success(request, f"{serving} is in service.{note}")
                return HttpResponseRedirect(object_url(serving))
        page = replace(page, title=f"{page.title} {version}", refusals=refusals)
        return form_page(self, request, page, ConfirmationForm(), version)

    @action(description="Evaluate", url_path="evaluate", permissions=["work"])
    def evaluate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the ML worker to judge the version by the protocol."""
        page = FormPage(
            title="Evaluate this version",
            intro="The ML worker trains on the folds of the protocol and judges on data that the model did not see.",
            submit_label="Evaluate",
        )
        return self._request_run(request, object_id, RunKind.EVALUATION, page)

    @action(description="Publish predictions", url_path="publish", permissions=["work"])
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the ML worker to store the version's predictions."""
        page = FormPage(
            title="Store the predictions of this version",
            intro="They can be compared in the list of predictions. Clients are answered from the active version alone.",
            submit_label="Publish",
        )
        return self._request_run(request, object_id, RunKind.PUBLICATION, page)

    def _request_run(self, request: HttpRequest, object_id: str, kind: RunKind, page: FormPage) -> HttpResponse:
        from genomepath.runs import run_request

        version = self.record_or_404(request, object_id)
        if request.method != "POST":
            return form_page(self, request, page, ConfirmationForm(), version)
        run = run_request(
            kind=kind,
            preset=version.preset,
            seed=version.seed,
            include_drafts=version.include_drafts,
            model_version=version,
            requested_by=request.user.get_username(),
            requested_role=current_context().actor_role,
        )
        messages.success(request, f"The {kind.value} is queued. This page follows it.")
        return HttpResponseRedirect(object_url(run))


def gate_rules(gate: dict[str, Any]) -> list[dict[str, Any]]:
    """The rules of the gate's last decision, as the page shows them."""
    return [
        {
            "name": rule.get("name", ""),
            "passed": bool(rule.get("passed")),
            "waived": not rule.get("passed") and bool(rule.get("waivable")) and bool(gate.get("provisional")),
            "detail": rule.get("detail", ""),
        }
        for rule in gate.get("rules", [])
    ]
