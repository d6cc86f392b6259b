"""The catalogue as a client may read it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from correlations.models import GenomicTarget, Practice
from ethics import audit
from ethics.policy import Audience, Purpose


def practices_shown(*, audience: Audience, now: datetime, text: str = "") -> QuerySet[Practice]:
    """Practices that the policy allows for display, with what their attribution needs; ``text`` narrows them."""
    found: QuerySet[Practice] = Practice.objects.permitted_for(Purpose.DISPLAY, audience, now).with_policy_facts()
    if text:
        found = found.filter(Q(title__icontains=text) | Q(slug__icontains=text) | Q(tradition__icontains=text))
    return found


def targets_shown(*, text: str = "") -> QuerySet[GenomicTarget]:
    """Genomic targets: public knowledge, the same for everybody."""
    found = GenomicTarget.objects.all()
    return found.filter(Q(symbol__icontains=text) | Q(name__icontains=text)) if text else found


def practices_listing_record(*, practices: list[Practice], context: audit.AuditContext) -> None:
    """Record whose practices a client was shown in a list. An empty page shows nobody's knowledge."""
    if practices:
        audit.record(
            "catalogue.listed",
            subjects=[practice.item.public_id for practice in practices],
            communities=[practice.item.community.slug for practice in practices],
            purpose=Purpose.DISPLAY,
            details={"count": len(practices)},
            context=context,
        )
