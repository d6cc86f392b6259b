"""For which uses the policy is asked before knowledge leaves the platform as files, and what it allows for all of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from ethics.models import GovernedItem
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Audience, Purpose

Use = tuple[Purpose, Audience]

EVERYBODY: tuple[Audience, ...] = tuple(CLIENT_AUDIENCES)
"""For whom an export is that names no audience: it may come into any client's hands."""
TRAINING_HERE: Use = (Purpose.TRAINING, Audience.PLATFORM)

_CLOCK_MARGIN = timedelta(minutes=1)


def uses_of_export(audiences: Collection[Audience]) -> tuple[Use, ...]:
    """EXPORT for each audience."""
    return tuple((Purpose.EXPORT, audience) for audience in audiences)


def uses_of_training_set(audiences: Collection[Audience]) -> tuple[Use, ...]:
    """TRAINING for the platform, which takes the snapshot; EXPORT and TRAINING for each audience, which will train on it."""
    handed_out = tuple((Purpose.TRAINING, audience) for audience in audiences)
    return (TRAINING_HERE, *uses_of_export(audiences), *handed_out)


def moments_of_export(now: datetime) -> tuple[datetime, datetime]:
    """When an item must be allowed: now and in a minute.

    A consent that ends by the clock while an export is being noted would be dealt with before the export is on record.
    """
    return now, now + _CLOCK_MARGIN


def items_allowed(uses: Collection[Use], now: datetime, among: Collection[UUID]) -> set[UUID]:
    """Those of the items that the policy allows for every use, now and in a minute."""
    allowed = set(among)
    for purpose, audience in uses:
        for moment in moments_of_export(now):
            items = GovernedItem.objects.permitted_for(purpose, audience, moment).filter(public_id__in=allowed)
            allowed = set(items.values_list("public_id", flat=True))
    return allowed
