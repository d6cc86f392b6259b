"""Accepts genes and practices of the export: the records that correlations point to."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import slugify

from correlations.importing.catalogue import SOURCE, Catalogue, PracticeReference
from correlations.importing.errors import WITHHELD, Reason, RowProblem
from correlations.importing.rows import DiseaseCount, GeneRow, PracticeRow
from correlations.models import DiseaseAssociation, DosageProfile, GenomicTarget, Practice, PracticeIndication
from correlations.vocabulary import Dose, DoseBasis, EvidenceLevel, Origin
from ethics import audit
from ethics.models import Community, GovernedItem
from ethics.policy import Basis, SacredStatus
from ethics.stewardship import item_create, item_set_status

# What the export calls published; it says nothing of a community's decision, so the basis is the publication.
_PUBLISHED = frozenset({"published_knowledge", "public_domain", "tramil_approved"})
_EVIDENCE_LEVELS = {
    "ethnographic_documentation": EvidenceLevel.ETHNOGRAPHIC,
    "historical_documentation": EvidenceLevel.HISTORICAL,
    "tramil_validated": EvidenceLevel.ETHNOGRAPHIC,
}
_NO_DOSE_SOURCE = "no source resolves the dose"


@dataclass(frozen=True)
class AcceptedPractice:
    """``status`` is 'created', 'sacred' or 'unchanged'; ``item`` is set where a governed item was made."""

    status: str
    item: GovernedItem | None = None
    lacks_basis: bool = False
    lacks_attribution: bool = False


def accept_gene(row: GeneRow, catalogue: Catalogue) -> str:
    """Add the target or what it lacks: 'created', 'extended' or 'unchanged'. Raises RowProblem.

    A target of the catalogue keeps its own description; diseases that it doesn't list are added, marked as the export's.
    """
    symbol = catalogue.symbol_of(row.name)
    is_new = not catalogue.has_target(symbol)
    pk = catalogue.target(symbol, named_by="gene list", target_type=row.gene_type)
    if is_new:
        GenomicTarget.objects.filter(pk=pk).update(
            pathways=[{"name": name, "id": ""} for name in row.pathways],
            tissues=list(row.tissues),
        )
    known = {name.casefold() for name in DiseaseAssociation.objects.filter(target_id=pk).values_list("name", flat=True)}
    sources = ", ".join(citation.reference for citation in row.citations.real)
    added: dict[str, DiseaseCount] = {}
    for disease in row.diseases:
        if disease.name.casefold() not in known:
            added.setdefault(disease.name.casefold(), disease)
    DiseaseAssociation.objects.bulk_create(
        DiseaseAssociation(
            target_id=pk,
            name=disease.name,
            study_count=disease.study_count,
            source=f"{SOURCE}, unverified" + (f"; {sources}" if sources else ""),
        )
        for disease in added.values()
    )
    if is_new:
        return "created"
    return "extended" if added else "unchanged"


def accept_practice(row: PracticeRow, catalogue: Catalogue) -> AcceptedPractice:
    """Add a practice with its governed item and attribution, or a sacred item without detail. Raises RowProblem.

    A practice that is there already stays as it is: a curator's work isn't overwritten by an import.
    """
    if row.is_ceremonial:
        return _accept_sacred(row, catalogue)
    if row.name.casefold() in catalogue.protected_names:
        raise RowProblem(Reason.PRACTICE_WITHHELD, WITHHELD)
    if row.practice_id in catalogue.practices:
        return AcceptedPractice("unchanged")
    community = catalogue.community(row.community)
    sources = "; ".join(citation.reference for citation in row.citations.real)
    is_documented = bool(sources) and row.consent_status in _PUBLISHED
    item = item_create(
        community=community,
        display_label=row.name,
        basis=Basis.DOCUMENTED if is_documented else Basis.NONE,
        basis_source=sources if is_documented else "",
        statement=f"{community.name}: {row.attribution_notes}" if row.attribution_notes else "",
        credited_name=community.name if row.attribution_notes else "",
    )
    practice = _store_practice(row, catalogue, item, community)
    catalogue.practices[row.practice_id] = PracticeReference(
        practice.pk, practice.slug, practice.title, community.slug, is_open=True
    )
    return AcceptedPractice("created", item, lacks_basis=not is_documented, lacks_attribution=not row.attribution_notes)


def _accept_sacred(row: PracticeRow, catalogue: Catalogue) -> AcceptedPractice:
    """Only the community, the status and the protected name are kept; a practice known as plain becomes sacred."""
    known_plain = GovernedItem.objects.filter(
        practice__origin=Origin.PHASE3.value, practice__external_id=row.practice_id
    ).first()
    if known_plain is not None:
        if known_plain.sacred_status == SacredStatus.SACRED.value:
            return AcceptedPractice("unchanged")
        item_set_status(item=known_plain, status=SacredStatus.SACRED, protected_names=[row.name])
        return AcceptedPractice("sacred", known_plain)
    community = catalogue.community(row.community)
    known = GovernedItem.objects.filter(community=community, protected_names__contains=[row.name])
    if known.exists():
        return AcceptedPractice("unchanged")
    item = item_create(
        community=community,
        display_label="",
        sacred_status=SacredStatus.SACRED,
        protected_names=[row.name],
    )
    audit.record("item.created", subjects=[item.public_id], communities=[community.slug])
    catalogue.protected_names.add(row.name.casefold())
    return AcceptedPractice("sacred", item)


def _store_practice(row: PracticeRow, catalogue: Catalogue, item: GovernedItem, community: Community) -> Practice:
    practice = Practice(
        item=item,
        slug=_free_slug(row, catalogue),
        title=row.name,
        tradition=community.name,
        preparation=row.preparation,
        contraindications=list(row.contraindications),
        cultural_context=row.cultural_context,
        evidence_level=_EVIDENCE_LEVELS.get(row.evidence_level, EvidenceLevel.UNGRADED).value,
        origin=Origin.PHASE3.value,
        external_id=row.practice_id,
    )
    practice.full_clean()
    practice.save()
    conditions = dict.fromkeys(catalogue.condition(name) for name in row.indications)
    PracticeIndication.objects.bulk_create(
        PracticeIndication(practice=practice, condition_id=condition, position=position)
        for position, condition in enumerate(conditions)
    )
    practice.sources.add(*catalogue.evidence(row.citations.real))
    dosage = f"as recorded: {row.traditional_dosage}; " if row.traditional_dosage else ""
    DosageProfile.objects.bulk_create(
        DosageProfile(
            practice=practice, level=dose.value, basis=DoseBasis.MODELLED.value, note=f"{dosage}{_NO_DOSE_SOURCE}"
        )
        for dose in Dose
    )
    return practice


def _free_slug(row: PracticeRow, catalogue: Catalogue) -> str:
    stem = (
        "-".join(filter(None, (slugify(row.name)[:70].strip("-"), slugify(row.practice_id.replace("_", "-"))[:40])))
        or "practice"
    )
    slug, number = stem, 2
    while slug in catalogue.slugs:
        slug, number = f"{stem}-{number}", number + 1
    catalogue.slugs.add(slug)
    return slug
