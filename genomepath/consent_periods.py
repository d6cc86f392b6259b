"""When the passing of time alone changes what the policy allows."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min, Q

from ethics.models import Consent
from ethics.policy import ConsentState


def next_consent_boundary(now: datetime) -> datetime | None:
    """The next moment after ``now`` at which a granted consent starts or ends, or None.

    Only granted consents depend on the clock: a refusal holds at all times. The policy does not change between two
    boundaries unless the policy revision does.
    """
    moments = Consent.objects.filter(state=ConsentState.GRANTED.value, superseded_by__isnull=True).aggregate(
        start=Min("valid_from", filter=Q(valid_from__gt=now)),
        end=Min("valid_until", filter=Q(valid_until__gt=now)),
    )
    coming = [moment for moment in moments.values() if moment is not None]
    return min(coming, default=None)
