"""Services that record what a community decides. Each writes the decision and its audit event in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.models import Community, Consent, ConsentItem, GovernedItem
from ethics.policy import Audience, ConsentState, Purpose
from ethics.reactions import react_to_withheld_items


@transaction.atomic
def consent_record(
    *,
    community: Community,
    items: Collection[GovernedItem] | None,
    purposes: Collection[Purpose],
    audiences: Collection[Audience],
    state: ConsentState,
    valid_from: datetime,
    document_reference: str,
    recorded_by: str,
    valid_until: datetime | None = None,
    document_sha256: str = "",
    supersedes: Collection[Consent] = (),
) -> Consent:
    """Record a granted, denied or pending consent for the named items, or for all items of the community (None).

    Raises:
        ValidationError: an item of another community, an empty selection, a superseded consent of another community, or
            any field or database rule; nothing is written.
    """
    if items is not None and not items:
        raise ValidationError({"items": "Name at least one item, or choose all items of the community."})
    if any(item.community_id != community.pk for item in items or ()):
        raise ValidationError({"items": "Every item must belong to the consenting community."})
    if any(earlier.community_id != community.pk for earlier in supersedes):
        raise ValidationError({"supersedes": "A consent can only supersede one of the same community."})
    if state == ConsentState.WITHDRAWN:
        raise ValidationError({"state": "Withdraw an existing consent instead of recording a withdrawn one."})
    consent = Consent(
        community=community,
        scope="community" if items is None else "items",
        state=state.value,
        purposes=sorted({purpose.value for purpose in purposes}),
        audiences=sorted({audience.value for audience in audiences}),
        valid_from=valid_from,
        valid_until=valid_until,
        document_reference=document_reference,
        document_sha256=document_sha256,
        recorded_by=recorded_by,
    )
    consent.full_clean()
    consent.save()
    ConsentItem.objects.bulk_create(ConsentItem(consent=consent, item=item) for item in items or ())
    for earlier in supersedes:
        Consent.objects.filter(pk=earlier.pk).update(superseded_by=consent)
    audit.record(
        "consent.recorded",
        subjects=[consent.public_id],
        communities=[community.slug],
        details={"state": state.value, "purposes": consent.purposes},
    )
    if state == ConsentState.DENIED:
        react_to_withheld_items(covered_items(consent))
    return consent


@transaction.atomic
def consent_withdraw(*, consent: Consent, reason: str) -> Consent:
    """Withdraw a consent. From the commit on, no answer uses what it covered.

    Raises:
        ValidationError: no reason, or the consent was denied or withdrawn already.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why the consent is withdrawn."})
    locked = Consent.objects.select_for_update().get(pk=consent.pk)
    if locked.state not in {ConsentState.GRANTED, ConsentState.PENDING}:
        raise ValidationError({"state": f"A {locked.state} consent cannot be withdrawn."})
    locked.state = ConsentState.WITHDRAWN.value
    locked.withdrawn_at = timezone.now()
    locked.save(update_fields=["state", "withdrawn_at"])
    audit.record(
        "consent.withdrawn",
        subjects=[locked.public_id],
        communities=[locked.community.slug],
        reason=reason.strip()[:300],
    )
    react_to_withheld_items(covered_items(locked))
    return locked


def covered_items(consent: Consent) -> list[UUID]:
    """The public ids of the items that a consent speaks of."""
    if consent.scope == "community":
        items = GovernedItem.objects.filter(community=consent.community_id)
    else:
        items = GovernedItem.objects.filter(consent_items__consent=consent, community=consent.community_id)
    return list(items.values_list("public_id", flat=True))
