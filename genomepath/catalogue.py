"""The catalogue as a client may read it: what concerns a practice goes through the policy, for the purpose of display."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from correlations.models import Correlation, DosageProfile, Evidence, GenomicTarget, Practice, SynergyPair
from correlations.vocabulary import ReviewStatus
from ethics import audit
from ethics.policy import Audience, Purpose

_POLICY_FACTS = (
    "practice__item__item_labels__label", "practice__item__consents", "practice__item__community__consents",
)  # fmt: skip


def practices_shown(
    *, audience: Audience, now: datetime, text: str = "", tradition: str = "", condition: str = ""
) -> QuerySet[Practice]:
    """Practices that the policy allows for display, with what their attribution needs; the texts narrow them."""
    found: QuerySet[Practice] = Practice.objects.permitted_for(Purpose.DISPLAY, audience, now).with_policy_facts()
    if text:
        found = found.filter(Q(title__icontains=text) | Q(slug__icontains=text) | Q(tradition__icontains=text))
    if tradition:
        found = found.filter(tradition__iexact=tradition)
    if condition:
        found = found.filter(indications__name__iexact=condition).distinct()
    return found


def targets_shown(*, text: str = "") -> QuerySet[GenomicTarget]:
    """Genomic targets: public knowledge, the same for everybody."""
    found = GenomicTarget.objects.all()
    return found.filter(Q(symbol__icontains=text) | Q(name__icontains=text)) if text else found


def correlations_shown(*, audience: Audience, now: datetime) -> QuerySet[Correlation]:
    """Approved correlations of practices that may be displayed, with what their attribution needs."""
    found: QuerySet[Correlation] = (
        Correlation.objects.permitted_for(Purpose.DISPLAY, audience, now)
        .filter(status=ReviewStatus.APPROVED.value)
        .select_related("target", "practice__item__community", "practice__item__attribution")
        .prefetch_related("evidence", *_POLICY_FACTS)
    )
    return found


def dosage_profiles_shown(*, audience: Audience, now: datetime) -> QuerySet[DosageProfile]:
    """Dosage profiles of practices that may be displayed, with what their attribution needs."""
    found: QuerySet[DosageProfile] = (
        DosageProfile.objects.permitted_for(Purpose.DISPLAY, audience, now)
        .select_related("evidence", "practice__item__community", "practice__item__attribution")
        .prefetch_related(*_POLICY_FACTS)
    )
    return found


def evidence_shown(*, audience: Audience, now: datetime) -> QuerySet[Evidence]:
    """Cited sources. Of those that stand with a practice, only the ones that stand with one that may be displayed."""
    allowed = (Purpose.DISPLAY, audience, now)
    practices = Practice.objects.permitted_for(*allowed).filter(sources=OuterRef("pk"))
    correlations = Correlation.objects.permitted_for(*allowed).filter(
        evidence=OuterRef("pk"), status=ReviewStatus.APPROVED.value
    )
    profiles = DosageProfile.objects.permitted_for(*allowed).filter(evidence=OuterRef("pk"))
    shown = Q(Exists(practices)) | Q(Exists(correlations)) | Q(Exists(profiles)) | ~_stands_with_a_practice()
    found: QuerySet[Evidence] = Evidence.objects.filter(shown).select_related("target").prefetch_related("conditions")
    return found


def _stands_with_a_practice() -> Q:
    """Whether an evidence row belongs to any practice, open or withheld."""
    return (
        Q(Exists(Practice.objects.filter(sources=OuterRef("pk"))))
        | Q(Exists(Correlation.objects.filter(evidence=OuterRef("pk"))))
        | Q(Exists(DosageProfile.objects.filter(evidence=OuterRef("pk"))))
    )


def synergies_shown(*, target: str = "") -> QuerySet[SynergyPair]:
    """Documented interactions of two targets, of one target where one is named: public, the same for everybody."""
    found: QuerySet[SynergyPair] = SynergyPair.objects.select_related("target_a", "target_b", "evidence")
    if target:
        found = found.filter(Q(target_a__symbol__iexact=target) | Q(target_b__symbol__iexact=target))
    return found


def practices_listing_record(*, practices: Sequence[Practice], context: audit.AuditContext) -> None:
    """Record whose practices a client was shown in a list. An empty page shows nobody's knowledge."""
    if practices:
        audit.record(
            "catalogue.listed",
            subjects=list(dict.fromkeys(practice.item.public_id for practice in practices)),
            communities=[practice.item.community.slug for practice in practices],
            purpose=Purpose.DISPLAY,
            details={"count": len(practices)},
            context=context,
        )


def public_reading_record(*, what: str, count: int, context: audit.AuditContext) -> None:
    """Record that a client read what is nobody's traditional knowledge: targets, sources, the model card, its own use."""
    audit.record("catalogue.read", details={"what": what, "count": count}, context=context)
