"""Services that record what a community decides. Each writes the decision and its audit event in one transaction."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.community_stewards import refuse_foreign_community
from ethics.consent_conflicts import refuse_conflicts
from ethics.models import Community, Consent, ConsentItem, GovernedItem, WithdrawalCause
from ethics.policy import Audience, ConsentState, Purpose
from ethics.reactions import react_to_withheld_items
from ethics.reasons import change_reason, explained

Choice = TypeVar("Choice", bound=StrEnum)


@explained
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
    reason: str = "",
) -> Consent:
    """Record a granted, denied or pending consent for the named items, or for all items of the community (None).

    Decisions of one community are recorded one after the other. A consent that is withdrawn while it is being superseded
    stays withdrawn: this one is refused then.

    Raises:
        ValidationError: nobody states a reason.
        ValidationError: an item of another community, an empty selection, an unknown purpose or audience, an interval out
            of order, no evidence document, a consent that contradicts this one or grants the same for another time
            (``ethics.consent_conflicts``), a superseded consent of another community, one superseded already or one
            withdrawn meanwhile, or any other field or database rule. Every message stands at its field; nothing is written.
    """
    refuse_foreign_community(community.pk)
    purposes, audiences = _known(Purpose, purposes, "purposes"), _known(Audience, audiences, "audiences")
    if items is not None and not items:
        raise ValidationError({"items": "Name at least one item, or choose all items of the community."})
    if any(item.community_id != community.pk for item in items or ()):
        raise ValidationError({"items": "Every item must belong to the consenting community."})
    if state == ConsentState.WITHDRAWN:
        raise ValidationError({"state": "Withdraw an existing consent instead of recording a withdrawn one."})
    if timezone.is_naive(valid_from):
        raise ValidationError({"valid_from": "The start needs a time zone."})
    if valid_until is not None and (timezone.is_naive(valid_until) or valid_until <= valid_from):
        raise ValidationError({"valid_until": "The end needs a time zone and must lie after the start."})
    if document_sha256 and not re.fullmatch(r"[0-9a-f]{64}", document_sha256):
        raise ValidationError({"document_sha256": "Give the SHA-256 of the document: 64 digits of 0-9 and a-f."})
    _lock_decisions_of(community.pk)
    earlier_consents = _superseded(supersedes, community)
    consent = Consent(
        community=community,
        scope="community" if items is None else "items",
        state=state.value,
        purposes=[purpose.value for purpose in purposes],
        audiences=[audience.value for audience in audiences],
        valid_from=valid_from,
        valid_until=valid_until,
        document_reference=document_reference.strip(),
        document_sha256=document_sha256,
        recorded_by=recorded_by,
    )
    consent.full_clean()
    refuse_conflicts(
        community=community,
        items=items,
        purposes=purposes,
        audiences=audiences,
        state=state,
        valid_from=valid_from,
        valid_until=valid_until,
        supersedes=earlier_consents,
    )
    covered = {item for earlier in earlier_consents for item in covered_items(earlier)}
    consent.save()
    ConsentItem.objects.bulk_create(ConsentItem(consent=consent, item=item) for item in items or ())
    for earlier in earlier_consents:
        earlier.superseded_by = consent
        earlier.save(update_fields=["superseded_by"])
    audit.record(
        "consent.recorded",
        subjects=[consent.public_id, *(earlier.public_id for earlier in earlier_consents)],
        communities=[community.slug],
        details={"state": state.value, "purposes": consent.purposes},
    )
    if state == ConsentState.DENIED:
        covered.update(covered_items(consent))
    withheld = _withheld_from_training(covered)
    if withheld:
        denied = state == ConsentState.DENIED
        cause = WithdrawalCause.DENIED if denied else WithdrawalCause.SUPERSEDED
        react_to_withheld_items(withheld, cause=cause, consent=consent)
    return consent


@transaction.atomic
def consent_withdraw(*, consent: Consent, reason: str) -> Consent:
    """Withdraw a consent. From the commit on, no answer uses what it covered.

    A withdrawal wins over a grant recorded at the same time: where the consent was superseded after the caller read it, it
    takes its place back and refuses all that it named. A caller who knew of the later consent withdraws that one.

    Raises:
        ValidationError: no reason or one that is too long, or the consent was denied, withdrawn or superseded already.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why the consent is withdrawn."})
    refuse_foreign_community(consent.community_id)
    _lock_decisions_of(consent.community_id)
    locked = Consent.objects.select_for_update().get(pk=consent.pk)
    if locked.state not in {ConsentState.GRANTED, ConsentState.PENDING}:
        raise ValidationError({"state": f"A {locked.state} consent cannot be withdrawn."})
    if locked.superseded_by_id is not None and consent.superseded_by_id is not None:
        raise ValidationError({"state": "A later consent has taken the place of this one: withdraw that one."})
    locked.state = ConsentState.WITHDRAWN.value
    locked.withdrawn_at = timezone.now()
    locked.superseded_by = None
    with change_reason(reason):
        locked.save(update_fields=["state", "withdrawn_at", "superseded_by"])
        audit.record("consent.withdrawn", subjects=[locked.public_id], communities=[locked.community.slug])
    react_to_withheld_items(covered_items(locked), cause=WithdrawalCause.WITHDRAWN, consent=locked)
    return locked


def covered_items(consent: Consent) -> list[UUID]:
    """The public ids of the items that a consent speaks of."""
    if consent.scope == "community":
        items = GovernedItem.objects.filter(community=consent.community_id)
    else:
        items = GovernedItem.objects.filter(consent_items__consent=consent, community=consent.community_id)
    return list(items.values_list("public_id", flat=True))


def _known(kind: type[Choice], values: Iterable[str], field: str) -> list[Choice]:
    """The values as members of an enumeration, each once."""
    values = set(values)
    unknown = sorted(str(value) for value in values - {member.value for member in kind})
    if unknown:
        raise ValidationError({field: f"Unknown: {', '.join(unknown)}."})
    if not values:
        raise ValidationError({field: "Choose at least one."})
    return [kind(value) for value in sorted(values)]


def _lock_decisions_of(community_id: int) -> None:
    """Let one decision of a community wait for the other. Rows that refer to the community may be added meanwhile."""
    Community.objects.select_for_update(no_key=True).get(pk=community_id)


def _superseded(supersedes: Collection[Consent], community: Community) -> list[Consent]:
    """The consents whose place is taken, locked until the transaction ends."""
    locked = list(
        Consent.objects.select_for_update().filter(pk__in=[consent.pk for consent in supersedes]).order_by("pk")
    )
    if any(consent.community_id != community.pk for consent in locked):
        raise ValidationError({"supersedes": "A consent can only supersede one of the same community."})
    known = {consent.pk: consent.state for consent in supersedes}
    if any(consent.state != known[consent.pk] for consent in locked):
        raise ValidationError({"supersedes": "A consent to be superseded was withdrawn meanwhile. Read it again."})
    if any(consent.superseded_by_id is not None for consent in locked):
        raise ValidationError({"supersedes": "A consent that was superseded already cannot be superseded again."})
    return locked


def _withheld_from_training(public_ids: Collection[UUID]) -> list[UUID]:
    items = GovernedItem.objects.filter(public_id__in=public_ids)
    permitted = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM)
    return list(items.exclude(pk__in=permitted).values_list("public_id", flat=True))
