"""Genomic targets with their public identifiers."""

from __future__ import annotations

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


@pghistory.track()
class GenomicTarget(models.Model):
    """A gene by its HGNC symbol. ``pathways`` is a list of objects with ``name`` and ``id`` (Reactome, may be empty)."""

    symbol = models.CharField(max_length=40, unique=True)
    hgnc_id = models.CharField(max_length=16, blank=True)
    name = models.CharField(max_length=300)
    aliases = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    entrez_id = models.CharField(max_length=12, blank=True)
    ensembl_gene_id = models.CharField(max_length=20, blank=True)
    uniprot_ids = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    target_type = models.CharField(max_length=120, blank=True)
    pathways = models.JSONField(default=list, blank=True)
    tissues = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    source = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["symbol"]
        constraints = [
            models.CheckConstraint(condition=Q(symbol__regex=r"^[A-Z0-9][A-Za-z0-9-]*$"), name="target_symbol_form"),
            models.CheckConstraint(condition=Q(hgnc_id="") | Q(hgnc_id__regex=r"^HGNC:\d+$"), name="target_hgnc_form"),
            models.UniqueConstraint(fields=["hgnc_id"], condition=~Q(hgnc_id=""), name="target_hgnc_id_once"),
            models.CheckConstraint(
                condition=Q(ensembl_gene_id="") | Q(ensembl_gene_id__regex=r"^ENSG\d{11}$"),
                name="target_ensembl_form",
            ),
            models.CheckConstraint(condition=Q(entrez_id="") | Q(entrez_id__regex=r"^\d+$"), name="target_entrez_form"),
            models.CheckConstraint(condition=~Q(source=""), name="target_has_source"),
        ]

    def __str__(self) -> str:
        return self.symbol


@pghistory.track()
class DiseaseAssociation(models.Model):
    """A disease linked to a target; ``study_count`` is empty where the source gives no count."""

    target = models.ForeignKey(GenomicTarget, on_delete=models.CASCADE, related_name="disease_associations")
    name = models.CharField(max_length=200)
    identifier = models.CharField(max_length=20, blank=True)
    study_count = models.PositiveIntegerField(null=True, blank=True)
    source = models.TextField()

    class Meta:
        ordering = ["target", "name"]
        constraints = [
            models.UniqueConstraint(fields=["target", "name"], name="disease_association_once"),
            models.CheckConstraint(condition=~Q(source=""), name="disease_association_has_source"),
        ]

    def __str__(self) -> str:
        return f"{self.target}: {self.name}"
