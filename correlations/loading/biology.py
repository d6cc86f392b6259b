"""Conditions, targets, evidence and synergies of the bundled data."""

from __future__ import annotations

from correlations.bundled.rows import BundledData
from correlations.models import Condition, DiseaseAssociation, Evidence, GenomicTarget, SynergyPair


def load_conditions(data: BundledData) -> None:
    """Add the conditions that are missing, with their broader terms."""
    by_id = {}
    for row in data.conditions:
        condition, created = Condition.objects.get_or_create(
            name=row.name, defaults={"mesh_id": row.mesh_id, "mondo_id": row.mondo_id}
        )
        by_id[row.id] = condition, created
    for link in data.condition_links:
        narrower, created = by_id[link.narrower]
        if created:
            narrower.broader.add(by_id[link.broader][0])


def bundled_targets(data: BundledData) -> dict[str, GenomicTarget]:
    """The targets by their bundled symbol. A curator may have changed the symbol: the HGNC id stays the same."""
    by_symbol = GenomicTarget.objects.in_bulk(field_name="symbol")
    by_hgnc_id = {target.hgnc_id: target for target in by_symbol.values() if target.hgnc_id}
    found = ((row.symbol, by_hgnc_id.get(row.hgnc_id) or by_symbol.get(row.symbol)) for row in data.targets)
    return {symbol: target for symbol, target in found if target is not None}


def load_targets(data: BundledData) -> int:
    """Add the targets that are missing; returns how many."""
    known = bundled_targets(data)
    missing = [row for row in data.targets if row.symbol not in known]
    for row in missing:
        target = GenomicTarget.objects.create(
            symbol=row.symbol,
            hgnc_id=row.hgnc_id,
            name=row.name,
            aliases=list(row.aliases),
            entrez_id=row.entrez_id,
            ensembl_gene_id=row.ensembl_gene_id,
            uniprot_ids=[row.uniprot] if row.uniprot else [],
            target_type=row.target_type,
            pathways=[{"name": pathway.name, "id": pathway.reactome_id} for pathway in row.pathways],
            tissues=list(row.tissues),
            source=row.source,
        )
        DiseaseAssociation.objects.bulk_create(
            DiseaseAssociation(
                target=target,
                name=association.name,
                identifier=association.id,
                study_count=association.study_count,
                source=association.source,
            )
            for association in row.disease_associations
        )
    return len(missing)


def load_evidence(data: BundledData) -> int:
    """Add the evidence that is missing; returns how many."""
    targets = bundled_targets(data)
    conditions = Condition.objects.in_bulk(field_name="name")
    added = 0
    for row in data.evidence:
        evidence, created = Evidence.objects.get_or_create(
            key=row.id,
            defaults={
                "reference": row.reference,
                "pmid": row.pmid,
                "doi": row.doi,
                "source_url": row.url,
                "level": row.level,
                "verified": row.verified,
                "year": row.year,
                "target": targets[row.target],
                "compound": row.compound,
                "mechanism": row.mechanism,
                "effect": row.effect_direction,
            },
        )
        if created:
            added += 1
            evidence.conditions.set([conditions[term.name] for term in row.conditions])
    return added


def load_synergies(data: BundledData) -> int:
    """Add the synergies that are missing; returns how many."""
    targets = bundled_targets(data)
    added = 0
    for row in data.synergy_pairs:
        first, second = targets[row.target_a], targets[row.target_b]
        if SynergyPair.objects.filter(target_a__in=[first, second], target_b__in=[first, second]).exists():
            continue
        evidence, _ = Evidence.objects.get_or_create(
            key=f"synergy:{row.target_a}:{row.target_b}",
            defaults={
                "reference": row.reference,
                "pmid": row.pmid,
                "doi": row.doi,
                "source_url": row.url,
                "verified": row.verified,
            },
        )
        SynergyPair.objects.create(
            target_a=first, target_b=second, interaction=row.interaction, kind=row.kind, evidence=evidence
        )
        added += 1
    return added
