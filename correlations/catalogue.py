"""Loads the bundled data into the database.

What is there already stays as it is: loading adds what is missing and never overwrites a curator's edit, so that it is
safe to run again.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass

from django.db import transaction

from correlations.bundled.reader import read_bundled
from correlations.bundled.rows import BundledData, Citation, PracticeRow
from correlations.evidence_paths import DerivedCorrelation, derive_correlations
from correlations.models import (
    Condition,
    Correlation,
    CorrelationEvidence,
    DiseaseAssociation,
    DosageProfile,
    Evidence,
    GenomicTarget,
    Practice,
    PracticeIndication,
    SynergyPair,
)
from correlations.vocabulary import Origin
from ethics import audit
from ethics.models import Attribution, Community, GovernedItem, ItemLabel, Label
from ethics.policy import Basis

_NAMESPACE = uuid.UUID("6a0f7c0e-4a5b-4f0e-9d52-0d6c8b1f5f11")


@dataclass(frozen=True)
class LoadReport:
    """How many rows of each kind were added; all zero when nothing was missing."""

    communities: int = 0
    practices: int = 0
    sacred_placeholders: int = 0
    targets: int = 0
    evidence: int = 0
    synergies: int = 0
    correlations: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was missing."""
        return not any(asdict(self).values())


@transaction.atomic
def bundled_load(*, data: BundledData | None = None) -> LoadReport:
    """Add what is missing of the bundled data, in one transaction with its audit event.

    Raises:
        BundledDataError: a row of the bundled files breaks its rule; nothing is written.
    """
    data = data or read_bundled()
    _load_labels(data)
    communities = _load_communities(data)
    _load_conditions(data)
    report = LoadReport(
        communities=communities,
        targets=_load_targets(data),
        evidence=_load_evidence(data),
        practices=_load_practices(data),
        sacred_placeholders=_load_placeholders(data),
        synergies=_load_synergies(data),
        correlations=_load_correlations(derive_correlations(data), _bundled_targets(data)),
    )
    if not report.is_empty:
        audit.record(
            "catalogue.loaded",
            communities=[row.slug for row in data.communities],
            details={
                "practices": report.practices,
                "targets": report.targets,
                "correlations": report.correlations,
                "evidence": report.evidence,
                "synergies": report.synergies,
            },
        )
    return report


def _load_labels(data: BundledData) -> None:
    for row in data.labels:
        kind = "notice" if row.kind == "notice" else row.code.split()[0]
        Label.objects.get_or_create(
            code=row.code,
            defaults={
                "kind": kind if kind in {"TK", "BC"} else "notice",
                "name": row.name,
                "meaning": row.meaning,
                "source_url": row.source,
                "rule": row.rule,
            },
        )


def _load_communities(data: BundledData) -> int:
    return sum(
        Community.objects.get_or_create(
            slug=row.slug, defaults={"name": row.name, "region": row.region, "statement": row.attribution}
        )[1]
        for row in data.communities
    )


def _load_conditions(data: BundledData) -> None:
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


def _bundled_targets(data: BundledData) -> dict[str, GenomicTarget]:
    """The targets by their bundled symbol. A curator may have changed the symbol: the HGNC id stays the same."""
    by_symbol = GenomicTarget.objects.in_bulk(field_name="symbol")
    by_hgnc_id = {target.hgnc_id: target for target in by_symbol.values() if target.hgnc_id}
    found = ((row.symbol, by_hgnc_id.get(row.hgnc_id) or by_symbol.get(row.symbol)) for row in data.targets)
    return {symbol: target for symbol, target in found if target is not None}


def _load_targets(data: BundledData) -> int:
    known = _bundled_targets(data)
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


def _load_evidence(data: BundledData) -> int:
    targets = _bundled_targets(data)
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


def _bundled_practices() -> dict[str, Practice]:
    """The practices that came with the bundled data by their bundled slug, which a curator may have changed."""
    return {practice.external_id: practice for practice in Practice.objects.filter(origin=Origin.BUNDLED.value)}


def _load_practices(data: BundledData) -> int:
    communities = Community.objects.in_bulk(field_name="slug")
    statements = {row.slug: row.attribution for row in data.communities}
    labels = Label.objects.in_bulk(field_name="code")
    known = set(Practice.objects.values_list("slug", flat=True)) | _bundled_practices().keys()
    missing = [row for row in data.practices if row.slug not in known]
    for row in missing:
        item = _documented_item(row, communities[row.community], statements[row.community])
        ItemLabel.objects.bulk_create(ItemLabel(item=item, label=labels[code]) for code in row.labels)
        _load_practice(row, item, data)
    return len(missing)


def _documented_item(row: PracticeRow, community: Community, statement: str) -> GovernedItem:
    item = GovernedItem(
        public_id=uuid.uuid5(_NAMESPACE, f"practice:{row.slug}"),
        community=community,
        display_label=row.title,
        basis=Basis.DOCUMENTED.value,
        basis_source="; ".join(source.reference for source in row.sources),
    )
    item.full_clean()
    item.save()
    Attribution.objects.create(item=item, statement=statement, credited_name=community.name)
    return item


def _load_practice(row: PracticeRow, item: GovernedItem, data: BundledData) -> None:
    practice = Practice(
        item=item,
        slug=row.slug,
        title=row.title,
        tradition=row.tradition,
        region=row.region,
        period=row.period,
        plant_part=row.plant_part,
        preparation=row.preparation,
        route=", ".join(row.route),
        contraindications=list(row.contraindications),
        cultural_context=row.cultural_context,
        evidence_level=row.evidence_level,
        origin=Origin.BUNDLED.value,
        external_id=row.slug,
    )
    practice.full_clean()
    practice.save()
    practice.sources.set(
        _practice_source(row, citation, number) for number, citation in enumerate(row.sources, start=1)
    )
    for position, term in enumerate(row.indications):
        PracticeIndication.objects.create(
            practice=practice, condition=Condition.objects.get(name=term.name), position=position
        )
    DosageProfile.objects.bulk_create(
        DosageProfile(
            practice=practice,
            level=profile.dose,
            amount_range=profile.range_text,
            basis=profile.basis,
            note=profile.note,
        )
        for profile in data.dosage_profiles
        if profile.practice == row.slug
    )


def _practice_source(row: PracticeRow, citation: Citation, number: int) -> Evidence:
    source, _ = Evidence.objects.get_or_create(
        key=f"{row.slug[:100]}:{number}",
        defaults={
            "reference": citation.reference,
            "pmid": citation.pmid,
            "doi": citation.doi,
            "source_url": citation.urls[0] if citation.urls else "",
            "level": row.evidence_level,
            "verified": True,
        },
    )
    return source


def _load_placeholders(data: BundledData) -> int:
    communities = Community.objects.in_bulk(field_name="slug")
    added = 0
    for row in data.sacred_placeholders:
        added += GovernedItem.objects.get_or_create(
            public_id=uuid.uuid5(_NAMESPACE, f"sacred:{row.id}"),
            defaults={
                "community": communities[row.community],
                "sacred_status": row.sacred_status,
                "protected_names": list(row.protected_names),
            },
        )[1]
    return added


def _load_synergies(data: BundledData) -> int:
    targets = _bundled_targets(data)
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


def _load_correlations(derived: list[DerivedCorrelation], targets: dict[str, GenomicTarget]) -> int:
    practices = _bundled_practices()
    known = set(Correlation.objects.values_list("practice", "target", "direction", "dose"))
    missing = [
        row
        for row in derived
        if row.practice in practices
        and (practices[row.practice].pk, targets[row.target].pk, row.direction, row.dose) not in known
    ]
    created = Correlation.objects.bulk_create(
        Correlation(
            practice=practices[row.practice],
            target=targets[row.target],
            direction=row.direction,
            dose=row.dose,
            dose_basis=row.dose_basis,
            mechanism=row.mechanism,
            confidence=row.confidence.value,
            confidence_parts=row.confidence.parts(),
            quality=row.quality,
            evidence_path=[asdict(step) for step in row.path],
            status=row.status,
            origin=Origin.BUNDLED.value,
        )
        for row in missing
    )
    evidence = Evidence.objects.in_bulk(field_name="key")
    CorrelationEvidence.objects.bulk_create(
        CorrelationEvidence(correlation=correlation, evidence=evidence[key])
        for correlation, row in zip(created, missing, strict=True)
        for key in row.evidence
        if key in evidence
    )
    return len(created)
