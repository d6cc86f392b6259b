"""Correlations and their review."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action

from correlations.admin.base import CatalogueAdmin, CatalogueInline
from correlations.curation import correlation_set_status
from correlations.models import Correlation, CorrelationEvidence
from correlations.scoring import GOOD_FROM, MODERATE_FROM
from correlations.vocabulary import Direction, Origin, ReviewStatus
from ethics.admin.form_fields import UnfoldAdminSelectWidget, reason_field, take_service_errors
from ethics.admin.form_page import FormPage, form_page, object_url
from ethics.models.choices import choices_of


class CorrelationForm(forms.ModelForm):
    """A practice associated with a target at a dose."""

    class Meta:
        model = Correlation
        fields = ("practice", "target", "direction", "dose", "dose_basis", "mechanism", "confidence")

    def clean_confidence(self) -> float:
        confidence: float = self.cleaned_data["confidence"]
        if not 0.0 < confidence <= 1.0:
            raise forms.ValidationError("A confidence lies above 0 and is at most 1.")
        return confidence


class StatusForm(forms.Form):
    """The next status of a correlation."""

    status = forms.ChoiceField(choices=choices_of(ReviewStatus), widget=UnfoldAdminSelectWidget)
    reason = reason_field("Reason for this change")


class CorrelationEvidenceInline(CatalogueInline):
    """The evidence on which a correlation rests."""

    model = CorrelationEvidence
    fields = ("evidence",)
    autocomplete_fields = ("evidence",)


@admin.register(Correlation)
class CorrelationAdmin(CatalogueAdmin):
    """Associations between practices and targets. Their status changes by the review actions of the list."""

    item_path = "practice__item"
    form = CorrelationForm
    list_display = ("practice", "target", "found_from", "dose", "confidence_shown", "quality", "status", "origin")
    list_filter = ("status", "quality", "direction", "dose", "origin")
    search_fields = ("practice__title", "practice__slug", "target__symbol", "mechanism", "external_id")
    list_select_related = ("practice", "target")
    autocomplete_fields = ("practice", "target")
    inlines = (CorrelationEvidenceInline,)
    actions = ("approve", "send_to_review", "reject")
    actions_detail = ("review",)

    @admin.display(description="Found from", ordering="direction")
    def found_from(self, correlation: Correlation) -> str:
        return "practice" if correlation.direction == Direction.TK_TO_GENOMIC.value else "gene"

    @admin.display(description="Confidence", ordering="confidence")
    def confidence_shown(self, correlation: Correlation) -> str:
        return f"{correlation.confidence:.2f}"

    @admin.display(description="Evidence path")
    def path(self, correlation: Correlation) -> SafeString | str:
        steps = [step for step in correlation.evidence_path if isinstance(step, dict)]
        if not steps:
            return "none recorded"
        rows = (
            (str(step.get("kind", "")).replace("_", " "), step.get("label", ""), step.get("source", ""))
            for step in steps
        )
        return format_html(
            '<ol class="evidence-path">{}</ol>',
            format_html_join("", "<li><strong>{}</strong> {} <small>{}</small></li>", rows),
        )

    @admin.display(description="Parts of the confidence")
    def parts(self, correlation: Correlation) -> str:
        return (
            "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in correlation.confidence_parts.items())
            or "none"
        )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        scale = f"Quality follows from confidence: good from {GOOD_FROM}, moderate from {MODERATE_FROM}."
        found = ("practice", "target", "direction", "dose", "dose_basis", "mechanism")
        judged: tuple[Any, ...] = ("confidence",)
        if obj is not None:
            judged = ("confidence", "quality", "status", "parts", "path", "origin")
        return [(None, {"fields": found}), ("How sure", {"fields": judged, "description": scale})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("practice", "target", "direction", "dose", "quality", "status", "parts", "path", "origin")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.status, obj.origin = ReviewStatus.DRAFT.value, Origin.MANUAL.value
        super().save_model(request, obj, form, change)

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._review(request, queryset, ReviewStatus.APPROVED)

    @admin.action(description="Send to review", permissions=["change"])
    def send_to_review(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._review(request, queryset, ReviewStatus.REVIEW)

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._review(request, queryset, ReviewStatus.REJECTED)

    def has_review_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may move correlations through review."""
        return bool(request.user.has_perm("correlations.change_correlation"))

    @action(description="Change status", url_path="review", permissions=["review"])
    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Move one correlation through review."""
        correlation = self.record_or_404(request, object_id)
        form = StatusForm(request.POST or None)
        if form.is_valid():
            try:
                correlation_set_status(
                    correlation=correlation,
                    status=ReviewStatus(form.cleaned_data["status"]),
                    reason=form.cleaned_data["reason"],
                )
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The status is changed.")
                return HttpResponseRedirect(object_url(correlation))
        page = FormPage(
            title=f"Review: {correlation}",
            intro=f"Its status is '{correlation.status}'. Training takes approved correlations.",
            submit_label="Change status",
        )
        return form_page(self, request, page, form, correlation)

    def _review(self, request: HttpRequest, queryset: QuerySet, status: ReviewStatus) -> None:
        done, refused = 0, []
        for correlation in queryset.order_by("pk"):
            try:
                correlation_set_status(correlation=correlation, status=status)
                done += 1
            except ValidationError as error:
                refused.append(f"{correlation}: {' '.join(error.messages)}")
        if done:
            messages.success(request, f"{done} correlations are now in status '{status.value}'.")
        for line in refused[:10]:
            messages.warning(request, line)
        if len(refused) > 10:
            messages.warning(request, f"{len(refused) - 10} more could not be changed.")
