"""Genomic targets, their disease associations and synergy pairs."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from correlations.admin.base import CatalogueAdmin, CatalogueInline, PatternForm
from correlations.models import DiseaseAssociation, GenomicTarget, SynergyPair
from ethics.admin.form_fields import LinesField


class GenomicTargetForm(PatternForm):
    """A gene by its HGNC symbol."""

    aliases = LinesField(required=False, max_length=120)
    uniprot_ids = LinesField(required=False, max_length=12, label="UniProt ids")
    tissues = LinesField(required=False, max_length=120)
    patterns: ClassVar = {
        "symbol": (r"^[A-Z0-9][A-Za-z0-9-]*$", "Give the HGNC symbol, such as CNR1: letters, digits and hyphens."),
        "hgnc_id": (r"^HGNC:\d+$", "An HGNC id is 'HGNC:' and digits."),
        "ensembl_gene_id": (r"^ENSG\d{11}$", "An Ensembl gene id is 'ENSG' and 11 digits."),
        "entrez_id": (r"^\d+$", "An Entrez id is digits only."),
    }

    class Meta:
        model = GenomicTarget
        fields = (
            "symbol", "name", "hgnc_id", "entrez_id", "ensembl_gene_id", "uniprot_ids",
            "aliases", "target_type", "pathways", "tissues", "source",
        )  # fmt: skip

    def clean_pathways(self) -> list[dict[str, str]]:
        pathways: list[dict[str, str]] = self.cleaned_data["pathways"] or []
        if not isinstance(pathways, list) or not all(_is_pathway(entry) for entry in pathways):
            raise forms.ValidationError('Give a list such as [{"name": "GPCR ligand binding", "id": "R-HSA-500792"}].')
        return pathways


def _is_pathway(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"name", "id"}
        and all(isinstance(text, str) for text in entry.values())
        and bool(entry["name"])
    )


class DiseaseAssociationInline(CatalogueInline):
    """The diseases linked to a target."""

    model = DiseaseAssociation
    fields = ("name", "identifier", "study_count", "source")


@admin.register(GenomicTarget)
class GenomicTargetAdmin(CatalogueAdmin):
    """Genes of the catalogue."""

    form = GenomicTargetForm
    list_display = ("symbol", "name", "target_type", "hgnc_id", "entrez_id", "pathway_count")
    list_filter = ("target_type",)
    search_fields = ("symbol", "name", "hgnc_id", "entrez_id", "ensembl_gene_id", "aliases__icontains")
    inlines = (DiseaseAssociationInline,)
    fieldsets = (
        (None, {"fields": ("symbol", "name", "target_type", "aliases")}),
        ("Identifiers", {"fields": ("hgnc_id", "entrez_id", "ensembl_gene_id", "uniprot_ids")}),
        ("Biology", {"fields": ("pathways", "tissues", "source")}),
    )

    @admin.display(description="Pathways")
    def pathway_count(self, target: GenomicTarget) -> int:
        return len(target.pathways)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Model folders and answers name a target by its symbol.
        return ("symbol",) if obj is not None else ()


@admin.register(DiseaseAssociation)
class DiseaseAssociationAdmin(CatalogueAdmin):
    """Diseases linked to targets."""

    deletable = True
    list_display = ("target", "name", "identifier", "study_count")
    search_fields = ("target__symbol", "name", "identifier")
    list_select_related = ("target",)
    autocomplete_fields = ("target",)


class SynergyPairForm(PatternForm):
    """Two targets that act together."""

    class Meta:
        model = SynergyPair
        fields = ("target_a", "target_b", "interaction", "kind", "evidence")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("target_a"), cleaned.get("target_b")
        if first and second and first == second:
            self.add_error("target_b", "A pair needs two different targets.")
        elif first and second and first.symbol > second.symbol:
            cleaned["target_a"], cleaned["target_b"] = second, first
        return cleaned


@admin.register(SynergyPair)
class SynergyPairAdmin(CatalogueAdmin):
    """Documented interactions between two targets."""

    form = SynergyPairForm
    list_display = ("target_a", "target_b", "kind", "evidence")
    list_filter = ("kind",)
    search_fields = ("target_a__symbol", "target_b__symbol", "kind", "interaction")
    list_select_related = ("target_a", "target_b", "evidence")
    autocomplete_fields = ("target_a", "target_b", "evidence")
