"""Communities, labels, documented items and sacred placeholders of the bundled data."""

from __future__ import annotations

import uuid

from correlations.bundled.rows import BundledData, PracticeRow
from ethics.models import Attribution, Community, GovernedItem, Label
from ethics.policy import Basis

_NAMESPACE = uuid.UUID("6a0f7c0e-4a5b-4f0e-9d52-0d6c8b1f5f11")


def load_labels(data: BundledData) -> None:
    """Add the labels of the vocabulary that are missing."""
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


def load_communities(data: BundledData) -> int:
    """Add the communities that are missing; returns how many."""
    return sum(
        Community.objects.get_or_create(
            slug=row.slug, defaults={"name": row.name, "region": row.region, "statement": row.attribution}
        )[1]
        for row in data.communities
    )


def documented_item(row: PracticeRow, community: Community, statement: str) -> GovernedItem:
    """Make the item of a practice that its sources document."""
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


def load_placeholders(data: BundledData) -> int:
    """Add the sacred placeholders that are missing; returns how many."""
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
