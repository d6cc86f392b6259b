"""Consents that ended by the clock: nobody acts, so the clock's end is found and treated like a withdrawal."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ethics.consent import covered_items
from ethics.models import Consent, GovernedItem, WithdrawalCase, WithdrawalCause
from ethics.policy import Audience, ConsentState, Purpose
from ethics.reactions import react_to_withheld_items


@transaction.atomic
def expired_consents_react(*, now: datetime | None = None) -> int:
    """React, once a consent, to what left use when it ended; returns how many cases that opened.

    An item that another basis still allows for every use of the ended consent has not left use.
    """
    now = now or timezone.now()
    known = WithdrawalCase.objects.filter(consent_public_id=OuterRef("public_id"), cause=WithdrawalCause.EXPIRED.value)
    ended = (
        Consent.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(state=ConsentState.GRANTED.value, superseded_by__isnull=True, valid_until__lte=now)
        .exclude(Exists(known))
        .order_by("pk")
    )
    opened = 0
    for consent in ended:
        withheld = _no_longer_allowed(consent, now)
        if withheld:
            react_to_withheld_items(withheld, cause=WithdrawalCause.EXPIRED, consent=consent)
            opened += 1
    return opened


def _no_longer_allowed(consent: Consent, now: datetime) -> list[UUID]:
    """Items of the consent that some use named by it no longer covers."""
    covered = set(covered_items(consent))
    withheld: set[UUID] = set()
    for purpose in consent.purposes:
        for audience in consent.audiences:
            allowed = GovernedItem.objects.permitted_for(Purpose(purpose), Audience(audience), now)
            withheld |= covered.difference(allowed.values_list("public_id", flat=True))
    return sorted(withheld)
