"""Conditions and evidence."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from correlations.admin.base import CatalogueAdmin, PatternForm
from correlations.models import Condition, CorrelationEvidence, DosageProfile, Evidence, Practice
from ethics.admin.base import ViewOnlyAdmin
from ethics.admin.visibility import Person, curated_items


class ConditionForm(PatternForm):
    """A disease or symptom."""

    patterns: ClassVar = {
        "mesh_id": (r"^[CD]\d{6,9}$", "A MeSH id is C or D and 6 to 9 digits, such as D012345."),
        "mondo_id": (r"^MONDO:\d{7}$", "A MONDO id is 'MONDO:' and 7 digits."),
    }

    class Meta:
        model = Condition
        fields = ("name", "mesh_id", "mondo_id", "broader")

    def clean_broader(self) -> Any:
        broader = self.cleaned_data["broader"]
        if self.instance.pk and any(condition.pk == self.instance.pk for condition in broader):
            raise forms.ValidationError("A condition is not broader than itself.")
        return broader


@admin.register(Condition)
class ConditionAdmin(CatalogueAdmin):
    """Diseases and symptoms with their identifiers."""

    form = ConditionForm
    list_display = ("name", "mesh_id", "mondo_id")
    list_filter = (("mesh_id", admin.EmptyFieldListFilter), ("mondo_id", admin.EmptyFieldListFilter))
    extra_lookups = ("mesh_id__isempty", "mondo_id__isempty")
    search_fields = ("name", "mesh_id", "mondo_id")
    autocomplete_fields = ("broader",)


class EvidenceForm(PatternForm):
    """One citable source."""

    patterns: ClassVar = {
        "pmid": (r"^\d{1,9}$", "A PubMed id is up to 9 digits."),
        "doi": (r"^10\.", "A DOI begins with '10.'; leave out 'https://doi.org/'."),
    }

    class Meta:
        model = Evidence
        fields = (
            "key", "reference", "pmid", "doi", "source_url", "level", "verified", "year",
            "target", "conditions", "compound", "mechanism", "effect",
        )  # fmt: skip

    def clean_year(self) -> int | None:
        year: int | None = self.cleaned_data["year"]
        latest = timezone.now().year + 1
        if year is not None and not 1400 <= year <= latest:
            raise forms.ValidationError(f"The year of publication must lie between 1400 and {latest}.")
        return year

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("verified") and not any(cleaned.get(name) for name in ("pmid", "doi", "source_url")):
            self.add_error("verified", "Verified evidence names a PubMed id, a DOI or an address to check it by.")
        return cleaned


@admin.register(Evidence)
class EvidenceAdmin(CatalogueAdmin):
    """Sources and what they say. Evidence that only withheld practices cite is not shown."""

    form = EvidenceForm
    list_display = ("key", "short_reference", "level", "verified", "year", "target")
    list_filter = ("level", "verified")
    search_fields = ("key", "reference", "pmid", "doi", "compound", "mechanism")
    list_select_related = ("target",)
    autocomplete_fields = ("target", "conditions")
    fieldsets = (
        (None, {"fields": ("key", "reference", ("pmid", "doi", "year"), "source_url", ("level", "verified"))}),
        ("What it says", {"fields": ("target", "conditions", "compound", "mechanism", "effect")}),
    )

    @admin.display(description="Reference", ordering="reference")
    def short_reference(self, evidence: Evidence) -> str:
        return evidence.reference if len(evidence.reference) <= 90 else f"{evidence.reference[:90]}…"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The key is the stable identity of the row.
        return ("key",) if obj is not None else ()

    def visible_to(self, user: Person, queryset: QuerySet) -> QuerySet:
        return queryset.filter(shown_evidence(user))


def shown_evidence(user: Person) -> Q:
    """Evidence that no practice cites, or that some practice open to curation cites."""
    cited, open_items = [], curated_items(user)
    for model, path in (
        (Practice.sources.through, "practice__item"),
        (CorrelationEvidence, "correlation__practice__item"),
        (DosageProfile, "practice__item"),
    ):
        rows = model._default_manager.filter(evidence=OuterRef("pk"))
        cited.append((Exists(rows), Exists(rows.filter(**{f"{path}__in": open_items}))))
    any_cited, any_open = Q(cited[0][0]), Q(cited[0][1])
    for citation, opened in cited[1:]:
        any_cited, any_open = any_cited | Q(citation), any_open | Q(opened)
    return ~any_cited | any_open


@admin.register(CorrelationEvidence)
class CorrelationEvidenceAdmin(ViewOnlyAdmin):
    """Which evidence stands behind which correlation; edited on the correlation's page."""

    item_path = "correlation__practice__item"
    list_display = ("correlation", "evidence")
    search_fields = (
        "evidence__key",
        "evidence__reference",
        "correlation__practice__title",
        "correlation__target__symbol",
    )
    list_select_related = ("correlation__practice", "correlation__target", "evidence")
