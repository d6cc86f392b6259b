"""Practices with their indications and dosage profiles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from correlations.admin.base import CatalogueAdmin, CatalogueInline
from correlations.curation import practice_create
from correlations.models import DosageProfile, Practice, PracticeIndication
from correlations.vocabulary import DoseBasis
from ethics.admin.base import adopt_saved
from ethics.admin.form_fields import (
    LinesField,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)
from ethics.admin.form_page import object_url
from ethics.admin.visibility import sees_withheld
from ethics.models import Community
from ethics.models.choices import choices_of
from ethics.policy import Basis

_BASES = [choice for choice in choices_of(Basis) if choice[0] != Basis.CONSENT.value]


class PracticeForm(forms.ModelForm):
    """A practice that exists."""

    contraindications = LinesField(required=False)

    class Meta:
        model = Practice
        fields = (
            "title", "slug", "tradition", "region", "period", "plant_part", "preparation", "route",
            "contraindications", "cultural_context", "evidence_level", "sources",
        )  # fmt: skip


class NewPracticeForm(PracticeForm):
    """A new practice, with what its governed item must say: whose it is, and on what its use rests."""

    community = forms.ModelChoiceField(Community.objects.all(), widget=UnfoldAdminSelectWidget)
    basis = forms.ChoiceField(
        choices=_BASES,
        widget=UnfoldAdminSelectWidget,
        help_text="Without a basis the practice is used for curation only, until a consent is recorded.",
    )
    basis_source = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="The publication in which the knowledge is documented.",
    )
    statement = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="The attribution shown with every use. Without it the practice is not used.",
    )
    credited_name = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("basis") == Basis.DOCUMENTED.value and not cleaned.get("basis_source", "").strip():
            self.add_error("basis_source", "Name the publication in which the knowledge is documented.")
        return cleaned


class IndicationInline(CatalogueInline):
    """The conditions for which the use is documented, in the order of the source."""

    model = PracticeIndication
    fields = ("position", "condition")
    autocomplete_fields = ("condition",)


class DosageProfileForm(forms.ModelForm):
    """What is recorded of a dose level."""

    class Meta:
        model = DosageProfile
        fields = ("practice", "level", "amount_range", "basis", "note", "evidence")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("basis") == DoseBasis.SOURCED.value and not cleaned.get("amount_range"):
            self.add_error("amount_range", "A dose that a source resolves names its range.")
        return cleaned


class DosageProfileInline(CatalogueInline):
    """The dose levels of a practice."""

    model = DosageProfile
    form = DosageProfileForm
    fields = ("level", "amount_range", "basis", "note", "evidence")
    autocomplete_fields = ("evidence",)
    max_num = 3


_DESCRIPTION = (
    "tradition",
    "region",
    "period",
    "plant_part",
    "preparation",
    "route",
    "contraindications",
    "cultural_context",
)


@admin.register(Practice)
class PracticeAdmin(CatalogueAdmin):
    """Documented uses that are open to curation. Withheld ones are not here, for anybody."""

    item_path = "item"
    form = PracticeForm
    ordering = ("slug",)
    list_display = ("title", "tradition", "community", "evidence_level", "correlation_count", "origin")
    list_filter = ("evidence_level", "origin", "tradition")
    search_fields = ("title", "slug", "tradition", "region", "external_id")
    list_select_related = ("item__community",)
    autocomplete_fields = ("sources",)
    prepopulated_fields = {"slug": ("title",)}
    actions_detail = ("why",)

    def get_queryset(self, request: HttpRequest):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).annotate(correlations_known=Count("correlations"))

    def has_governance_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether the person may read why a practice may be used or not."""
        return sees_withheld(request.user)

    @action(description="Why?", url_path="why", permissions=["governance"])
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page that explains the policy's answers over the practice's governed item."""
        practice = self.record_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:ethics_governeditem_why", args=[practice.item_id]))

    @admin.display(description="Community", ordering="item__community__name")
    def community(self, practice: Practice) -> str:
        return str(practice.item.community)

    @admin.display(description="Correlations", ordering="correlations_known")
    def correlation_count(self, practice: Any) -> int:
        return int(practice.correlations_known)

    @admin.display(description="Governed item")
    def governed_item(self, practice: Practice) -> SafeString:
        return format_html('<a href="{}" class="text-link">{}</a>', object_url(practice.item), practice.item)

    @admin.display(description="Basis of use")
    def basis(self, practice: Practice) -> str:
        item = practice.item
        return f"{item.basis}: {item.basis_source}" if item.basis_source else item.basis

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any):  # type: ignore[no-untyped-def]
        kwargs.setdefault("form", PracticeForm if change else NewPracticeForm)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        governance: tuple[str, ...] = ("community", "basis", "basis_source", "statement", "credited_name")
        if obj is not None:
            governance = ("governed_item", "community", "basis", "origin", "external_id")
        return [
            (None, {"fields": ("title", "slug", *_DESCRIPTION)}),
            ("Evidence", {"fields": ("evidence_level", "sources")}),
            ("Whose knowledge, and on what its use rests", {"fields": governance}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        # Requests, model folders and published predictions name a practice by its slug.
        return ("slug", "governed_item", "community", "basis", "origin", "external_id") if obj is not None else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, tuple[str, ...]]:
        return {} if obj is not None else {"slug": ("title",)}

    def get_inlines(self, request: HttpRequest, obj: Model | None):  # type: ignore[no-untyped-def]
        return (IndicationInline, DosageProfileInline)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        data = form.cleaned_data
        practice = practice_create(
            practice=obj,
            community=data["community"],
            basis=Basis(data["basis"]),
            basis_source=data["basis_source"],
            statement=data["statement"],
            credited_name=data["credited_name"],
        )
        adopt_saved(obj, practice)


@admin.register(PracticeIndication)
class PracticeIndicationAdmin(CatalogueAdmin):
    """Indications of all practices."""

    item_path = "practice__item"
    deletable = True
    list_display = ("practice", "condition", "position")
    search_fields = ("practice__title", "condition__name")
    list_select_related = ("practice", "condition")
    autocomplete_fields = ("practice", "condition")


@admin.register(DosageProfile)
class DosageProfileAdmin(CatalogueAdmin):
    """Dose levels of all practices."""

    item_path = "practice__item"
    deletable = True
    form = DosageProfileForm
    list_display = ("practice", "level", "amount_range", "basis")
    list_filter = ("level", "basis")
    search_fields = ("practice__title",)
    list_select_related = ("practice",)
    autocomplete_fields = ("practice", "evidence")
