"""Practices of the bundled data, with their items, indications, dosages and sources."""

from __future__ import annotations

from correlations.bundled.rows import BundledData, Citation, PracticeRow
from correlations.loading.governance import documented_item
from correlations.models import Condition, DosageProfile, Evidence, Practice, PracticeIndication
from correlations.vocabulary import Origin
from ethics.models import Community, GovernedItem, ItemLabel, Label


def bundled_practices() -> dict[str, Practice]:
    """The practices that came with the bundled data by their bundled slug, which a curator may have changed."""
    return {practice.external_id: practice for practice in Practice.objects.filter(origin=Origin.BUNDLED.value)}


def load_practices(data: BundledData) -> int:
    """Add the practices that are missing; returns how many."""
    communities = Community.objects.in_bulk(field_name="slug")
    statements = {row.slug: row.attribution for row in data.communities}
    labels = Label.objects.in_bulk(field_name="code")
    known = set(Practice.objects.values_list("slug", flat=True)) | bundled_practices().keys()
    missing = [row for row in data.practices if row.slug not in known]
    for row in missing:
        item = documented_item(row, communities[row.community], statements[row.community])
        ItemLabel.objects.bulk_create(ItemLabel(item=item, label=labels[code]) for code in row.labels)
        _load_practice(row, item, data)
    return len(missing)


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
