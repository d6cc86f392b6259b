"""Governed items: what the policy decides over.

Stewards and officers see all of them; of a sacred one they see community, status and protected names, and opening it is
logged. Everybody else sees the items that are open to curation, and never a protected name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.decorators import action

from ethics import audit
from ethics.admin.base import PlatformAdmin, PlatformInline, adopt_saved
from ethics.admin.form_fields import (
    LinesField,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    reason_field,
    take_service_errors,
)
from ethics.admin.form_page import FormPage, form_page, list_url, object_url
from ethics.admin.status_lowering import PROPOSE_INTRO, LoweringForm
from ethics.admin.visibility import sees_withheld
from ethics.admin.why import WhyPage
from ethics.models import Attribution, GovernedItem, ItemLabel
from ethics.models.choices import choices_of
from ethics.policy import Audience, Basis, Purpose, SacredStatus, decide
from ethics.querysets import facts_of
from ethics.records import governed_item_add
from ethics.status_lowering import status_lowering_propose
from ethics.stewardship import item_record_objection, item_set_status

SACRED = SacredStatus.SACRED.value


class GovernedItemForm(forms.ModelForm):
    """An item, new or not sacred."""

    protected_names = LinesField(required=False, help_text="One a line. Names that no answer may reveal.")

    class Meta:
        model = GovernedItem
        fields = ("community", "display_label", "sacred_status", "basis", "basis_source", "protected_names")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("basis") == Basis.DOCUMENTED.value and not cleaned.get("basis_source"):
            self.add_error("basis_source", "Name the publication in which the knowledge is documented.")
        if cleaned.get("sacred_status") == SACRED:
            for name, empty in (("display_label", ""), ("basis", Basis.NONE.value), ("basis_source", "")):
                if cleaned.get(name, empty) != empty:
                    self.add_error(name, "A sacred item holds a community, a status and protected names, nothing else.")
        return cleaned


class StatusForm(forms.Form):
    """Raises a status, or adds protected names to it."""

    status = forms.ChoiceField(choices=choices_of(SacredStatus), widget=UnfoldAdminSelectWidget)
    protected_names = LinesField(required=False, help_text="One a line, beside those kept already.")
    reason = reason_field("Reason for this change")


class ObjectionForm(forms.Form):
    """An objection of the community."""

    reference = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Where the objection was made: letter, minutes, call.",
    )
    reason = reason_field()


class ItemLabelInline(PlatformInline):
    """The labels on an item."""

    model = ItemLabel
    fields = ("label", "community_text")
    autocomplete_fields = ("label",)


class AttributionInline(PlatformInline):
    """The statement that goes with the item."""

    model = Attribution
    fields = ("statement", "credited_name")
    can_delete = False
    max_num = 1


@admin.register(GovernedItem)
class GovernedItemAdmin(WhyPage, PlatformAdmin):
    """See the module."""

    item_path = "pk"
    shows_withheld = True
    form = GovernedItemForm
    list_display = ("label_or_placeholder", "community", "sacred_status", "basis", "use")
    list_filter = ("sacred_status", "basis", ("community", admin.RelatedOnlyFieldListFilter))
    search_fields = ("display_label", "=public_id", "community__name")
    autocomplete_fields = ("community",)
    inlines = (ItemLabelInline, AttributionInline)
    actions_detail = ("why", "raise_status", "lower_status", "record_objection")

    def get_queryset(self, request: HttpRequest) -> Any:
        items: Any = super().get_queryset(request)
        return items.with_policy_facts()

    @admin.display(description="Item", ordering="display_label")
    def label_or_placeholder(self, item: GovernedItem) -> str:
        return str(item)

    @admin.display(description="Open to curation")
    def use(self, item: GovernedItem) -> str:
        decision = decide(facts_of(item), Purpose.CURATION, Audience.PLATFORM, timezone.now())
        return "yes" if decision.allowed else f"no: {decision.reason.value.replace('_', ' ')}"

    @admin.display(description="Protected names")
    def protected_names_readable(self, item: GovernedItem) -> str:
        return "; ".join(item.protected_names) or "none"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        if obj is None:
            return GovernedItemForm.Meta.fields
        if not sees_withheld(request.user):
            return ("public_id", "community", "display_label", "sacred_status", "basis", "basis_source")
        if obj.sacred_status == SACRED:  # type: ignore[attr-defined]
            return ("public_id", "community", "sacred_status", "protected_names_readable")
        return (
            "public_id", "community", "display_label", "sacred_status", "basis", "basis_source",
            "objection_at", "objection_reference", "protected_names", "use",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        if obj is None:
            return ()
        always = ("public_id", "community", "sacred_status", "objection_at", "objection_reference", "use")
        return (*always, "protected_names_readable")

    def get_inlines(self, request: HttpRequest, obj: Model | None):  # type: ignore[no-untyped-def]
        return () if obj is None or obj.sacred_status == SACRED else self.inlines  # type: ignore[attr-defined]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if isinstance(obj, GovernedItem) and obj.sacred_status == SACRED:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_steward_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may raise a status or record an objection."""
        return sees_withheld(request.user) and bool(request.user.has_perm("ethics.change_governeditem"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        item = governed_item_add(
            community=obj.community,
            display_label=obj.display_label,
            sacred_status=SacredStatus(obj.sacred_status),
            basis=Basis(obj.basis),
            basis_source=obj.basis_source,
            protected_names=obj.protected_names,
        )
        adopt_saved(obj, item)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        self.log_opening(request, object_id)
        response: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        self.log_opening(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def history_fields_hidden_from(self, request: HttpRequest, obj: Model) -> Sequence[str]:
        if obj.sacred_status == SACRED:  # type: ignore[attr-defined]
            # What the item said before it became sacred is gone for readers.
            return [field.name for field in obj._meta.concrete_fields if field.name != "sacred_status"]
        return () if sees_withheld(request.user) else ("protected_names",)

    def log_opening(self, request: HttpRequest, object_id: str) -> None:
        """Record that somebody opens a page of a sacred item."""
        item = self.get_object(request, object_id)
        if item is not None and item.sacred_status == SACRED and self.has_view_permission(request, item):
            audit.record("sacred.viewed", subjects=[item.public_id], communities=[item.community.slug])

    @action(description="Raise status", url_path="raise-status", permissions=["steward"])
    def raise_status(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Raise the sacred status."""
        item = self.record_or_404(request, object_id)
        form = StatusForm(request.POST or None, initial={"status": item.sacred_status})
        if form.is_valid():
            try:
                item_set_status(
                    item=item,
                    status=SacredStatus(form.cleaned_data["status"]),
                    protected_names=form.cleaned_data["protected_names"],
                    reason=form.cleaned_data["reason"],
                )
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The status is recorded. It holds from now on, everywhere.")
                return HttpResponseRedirect(list_url(GovernedItem))
        page = FormPage(
            title="Raise the sacred status",
            intro=(
                "A restricted item is used only with a consent. A sacred item is never used: its name becomes a protected "
                "name, and its description, basis and source are removed from view."
            ),
            submit_label="Raise status",
            dangerous=True,
        )
        return form_page(self, request, page, form, item)

    @action(description="Propose a lower status", url_path="lower-status", permissions=["steward"])
    def lower_status(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Propose to lower the sacred status; another person decides."""
        item = self.record_or_404(request, object_id)
        form = LoweringForm(request.POST or None)
        if form.is_valid():
            try:
                proposal = status_lowering_propose(
                    item=item,
                    to_status=SacredStatus(form.cleaned_data["to_status"]),
                    reason=form.cleaned_data["reason"],
                    proposed_by=request.user.get_username(),
                )
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The proposal is recorded. Another person has to confirm it.")
                return HttpResponseRedirect(object_url(proposal))
        page = FormPage(title="Propose a lower sacred status", intro=PROPOSE_INTRO, submit_label="Propose")
        return form_page(self, request, page, form, item)

    @action(description="Record objection", url_path="objection", permissions=["steward"])
    def record_objection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Record that the community objects; it beats every basis of use."""
        item = self.record_or_404(request, object_id)
        form = ObjectionForm(request.POST or None)
        if form.is_valid():
            try:
                item_record_objection(item=item, **form.cleaned_data)
            except ValidationError as error:
                take_service_errors(form, error)
            else:
                messages.success(request, "The objection is recorded. The item is out of use.")
                return HttpResponseRedirect(object_url(item))
        page = FormPage(
            title="Record an objection of the community",
            intro="An objection beats every basis of use, documented publication included. It holds at once.",
            submit_label="Record objection",
            dangerous=True,
        )
        return form_page(self, request, page, form, item)
