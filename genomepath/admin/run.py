"""Runs: asked for here, carried out by the ML worker, watched here."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from ethics.admin.audit_log import preformatted
from ethics.admin.base import ViewOnlyAdmin
from ethics.admin.form_fields import take_service_errors
from ethics.admin.form_page import ConfirmationForm, FormPage, form_page, list_url, object_url
from ethics.audit import current_context
from genomepath.models import TrainingRun
from genomepath.models.training_run import RunKind, RunState

PRESETS = [("spec", "As specified (full size)"), ("small", "Small (fewer layers, trains faster)")]
MOVING_STATES = frozenset({RunState.QUEUED.value, RunState.RUNNING.value, RunState.LOST.value})
STATE_COLOURS = {
    RunState.QUEUED.value: "info",
    RunState.RUNNING.value: "info",
    RunState.SUCCEEDED.value: "success",
    RunState.FAILED.value: "danger",
    RunState.LOST.value: "warning",
    RunState.CANCELLED.value: "warning",
}
_LOG_SHOWN = 20_000


class TrainForm(forms.Form):
    """What to train."""

    preset = forms.ChoiceField(choices=PRESETS, widget=UnfoldAdminSelectWidget)
    seed = forms.IntegerField(
        min_value=0,
        max_value=2_147_483_647,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="The same seed on the same data gives the same model.",
    )
    epochs = forms.IntegerField(
        min_value=1,
        max_value=500,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Leave empty for the preset's own number.",
    )
    include_drafts = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Train on correlations that nobody has approved yet as well.",
    )
    then_evaluate = forms.BooleanField(
        required=False,
        initial=True,
        label="Evaluate afterwards",
        widget=UnfoldBooleanSwitchWidget,
        help_text="A version must be evaluated before it can be promoted.",
    )

    def parameters(self) -> dict[str, Any]:
        """The run's parameters."""
        parameters: dict[str, Any] = {"then_evaluate": self.cleaned_data["then_evaluate"]}
        if self.cleaned_data["epochs"]:
            parameters["hyperparameters"] = {"epochs": self.cleaned_data["epochs"]}
        return parameters


@admin.register(TrainingRun)
class TrainingRunAdmin(ViewOnlyAdmin):
    """Runs are asked for with a button and end by themselves; nobody edits them."""

    list_display = ("name", "state_label", "progress_bar", "message", "heartbeat", "requested_by", "requested_at")
    list_filter = ("state", "kind", "preset", "requested_at")
    search_fields = ("=public_id", "requested_by", "message", "data_sha256")
    list_select_related = ("model_version",)
    fieldsets = (
        (None, {"fields": ("public_id", "kind", "preset", "seed", "include_drafts", "parameters_readable")}),
        ("Result", {"fields": ("model_version_link", "data_sha256", "error_readable")}),
        (
            "Times",
            {"fields": ("requested_by", "requested_role", "requested_at", "started_at", "heartbeat_at", "finished_at")},
        ),
    )
    readonly_fields = ("parameters_readable", "model_version_link", "error_readable")
    change_form_outer_before_template = "admin/genomepath/run_progress.html"
    actions_list = ("train",)
    actions_detail = ("cancel",)

    class Media:
        js = (forms.Script("genomepath/run_progress.js", defer=True),)

    @admin.display(description="Run", ordering="public_id")
    def name(self, run: TrainingRun) -> str:
        return str(run)

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_label(self, run: TrainingRun) -> str:
        return run.state

    @admin.display(description="Progress")
    def progress_bar(self, run: TrainingRun) -> SafeString:
        return format_html(
            '<span class="run-bar-cell"><progress class="run-bar" max="{}" value="{}" aria-label="progress">{}</progress> '
            "{}</span>",
            max(run.progress_total, 1), run.progress_done, progress_text(run), progress_text(run),
        )  # fmt: skip

    @admin.display(description="Heartbeat", ordering="heartbeat_at")
    def heartbeat(self, run: TrainingRun) -> str:
        return f"{timesince(run.heartbeat_at)} ago" if run.heartbeat_at else "none yet"

    @admin.display(description="Parameters")
    def parameters_readable(self, run: TrainingRun) -> SafeString | str:
        return (
            preformatted(json.dumps(run.parameters, indent=2, sort_keys=True)) if run.parameters else "the preset's own"
        )

    @admin.display(description="Model version")
    def model_version_link(self, run: TrainingRun) -> SafeString | str:
        if run.model_version is None:
            return "none yet"
        return format_html('<a class="text-link" href="{}">{}</a>', object_url(run.model_version), run.model_version)

    @admin.display(description="Error")
    def error_readable(self, run: TrainingRun) -> SafeString | str:
        return preformatted(run.error) if run.error else "none"

    def has_train_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may ask for runs."""
        return bool(request.user.has_perm("genomepath.add_trainingrun"))

    def has_cancel_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may cancel runs; offered while there is something to cancel."""
        if not request.user.has_perm("genomepath.change_trainingrun"):
            return False
        run = self.record_of_button(request, obj)
        return run is None or run.state in MOVING_STATES

    def get_urls(self) -> list:
        state = self.admin_site.admin_view(self.state_view)
        return [path("<path:object_id>/state/", state, name="genomepath_trainingrun_state"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context = (
            {"run": run, "run_view": run_state(run), "cancellable": self.has_cancel_permission(request)} if run else {}
        )
        if run:
            context["state_url"] = reverse("admin:genomepath_trainingrun_state", args=[run.pk])
        response: HttpResponse = super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
        return response

    def state_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """What the page polls while the run works."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(run_state(self.record_or_404(request, object_id)))

    @action(description="Train", url_path="train", permissions=["train"])
    def train(self, request: HttpRequest) -> HttpResponse:
        """Ask the ML worker for a training."""
        from genomepath.runs import run_request

        form = TrainForm(request.POST or None)
        if form.is_valid():
            try:
                run = run_request(
                    kind=RunKind.TRAINING,
                    preset=form.cleaned_data["preset"],
                    seed=form.cleaned_data["seed"],
                    include_drafts=form.cleaned_data["include_drafts"],
                    parameters=form.parameters(),
                    requested_by=request.user.get_username(),
                    requested_role=current_context().actor_role,
                )
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The training is queued. This page follows it.")
                return HttpResponseRedirect(object_url(run))
        page = FormPage(
            title="Train a model",
            intro="The ML worker takes a snapshot of what the policy allows for training, and trains on that alone.",
            submit_label="Train",
        )
        return form_page(self, request, page, form)

    @action(description="Cancel run", url_path="cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop a run at its next report."""
        from genomepath.runs import run_cancel

        run = self.record_or_404(request, object_id)
        form = ConfirmationForm(request.POST or None)
        if request.method == "POST":
            try:
                run_cancel(run=run)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            else:
                messages.success(request, "The run is cancelled.")
            return HttpResponseRedirect(object_url(run))
        page = FormPage(
            title=f"Cancel {run}",
            intro="A queued run never starts; a running one stops at its next report.",
            submit_label="Cancel the run",
            dangerous=True,
        )
        return form_page(self, request, page, form, run)


def progress_text(run: TrainingRun) -> str:
    """Steps done of steps in all, in words."""
    return f"{run.progress_done} of {run.progress_total}" if run.progress_total else "not started"


def run_state(run: TrainingRun) -> dict[str, Any]:
    """What the run's page shows and polls."""
    now = timezone.now()
    return {
        "state": run.state,
        "colour": STATE_COLOURS.get(run.state, "info"),
        "moving": run.state in MOVING_STATES,
        "done": run.progress_done,
        "total": run.progress_total,
        "progress": progress_text(run),
        "message": run.message,
        "log": run.log[-_LOG_SHOWN:],
        "heartbeat_seconds": int((now - run.heartbeat_at).total_seconds()) if run.heartbeat_at else None,
        "model_version_url": object_url(run.model_version) if run.model_version else "",
        "list_url": list_url(TrainingRun),
    }
