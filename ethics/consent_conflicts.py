"""Which consents cannot stand beside a new one, because nobody could say which of the two holds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from ethics.models import Community, Consent, GovernedItem
from ethics.policy import Audience, ConsentState, Purpose

_OPPOSITE = {ConsentState.GRANTED: ConsentState.DENIED, ConsentState.DENIED: ConsentState.GRANTED}


def refuse_conflicts(
    *,
    community: Community,
    items: Collection[GovernedItem] | None,
    purposes: Collection[Purpose],
    audiences: Collection[Audience],
    state: ConsentState,
    valid_from: datetime,
    valid_until: datetime | None,
    supersedes: Collection[Consent],
) -> None:
    """Refuse a consent that contradicts one in force, or grants the same use for another time.

    Two consents conflict where they share an item, a purpose and an audience, and neither supersedes the other. A grant and
    a denial conflict whenever they do, as a denial holds until it is superseded, whatever its interval. Two grants conflict
    where their intervals overlap and differ. A pending consent decides nothing yet, and a withdrawn one refuses in any case.

    Raises:
        ValidationError: at ``supersedes``, one message for each consent in conflict, which it names.
    """
    if state not in _OPPOSITE:
        return
    shared = _naming_the_same(community, items, purposes, audiences).exclude(
        pk__in=[consent.pk for consent in supersedes]
    )
    messages = [
        f"This {_noun(state)} contradicts {name_of(other)}. Supersede it, or name other items, purposes or audiences."
        for other in shared.filter(state=_OPPOSITE[state].value)
    ]
    if state == ConsentState.GRANTED:
        messages += [
            f"This grant overlaps with {name_of(other)}, which holds for another time. Supersede it, or choose an interval "
            "that begins after it ends."
            for other in _overlapping(shared, valid_from, valid_until)
        ]
    if messages:
        raise ValidationError({"supersedes": messages})


def name_of(consent: Consent) -> str:
    """How a message names a consent: state, document, interval and public id."""
    ends = f"until {consent.valid_until:%Y-%m-%d %H:%M}" if consent.valid_until else "without an end"
    return (
        f"the {consent.state} consent '{consent.document_reference}' from {consent.valid_from:%Y-%m-%d %H:%M} {ends} "
        f"({consent.public_id})"
    )


def _naming_the_same(
    community: Community,
    items: Collection[GovernedItem] | None,
    purposes: Collection[Purpose],
    audiences: Collection[Audience],
) -> QuerySet[Consent]:
    """Consents of the community that still count and share an item, a purpose and an audience."""
    consents = Consent.objects.filter(
        community=community,
        superseded_by__isnull=True,
        purposes__overlap=[purpose.value for purpose in purposes],
        audiences__overlap=[audience.value for audience in audiences],
    ).order_by("pk")
    if items is None:
        return consents
    return consents.filter(Q(scope="community") | Q(pk__in=Consent.objects.filter(items__in=items).values("pk")))


def _overlapping(consents: QuerySet[Consent], valid_from: datetime, valid_until: datetime | None) -> QuerySet[Consent]:
    """Grants whose interval shares a moment with this one without being the same."""
    grants = consents.filter(state=ConsentState.GRANTED.value).filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=valid_from)
    )
    if valid_until is not None:
        grants = grants.filter(valid_from__lt=valid_until)
    same_end = Q(valid_until__isnull=True) if valid_until is None else Q(valid_until=valid_until)
    return grants.exclude(Q(valid_from=valid_from) & same_end)


def _noun(state: ConsentState) -> str:
    return "grant" if state == ConsentState.GRANTED else "denial"
