"""How long what was read of policy and catalogue may be remembered."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from genomepath.consent_periods import next_consent_boundary

# How long an edit of the catalogue (a title, a source, a review) may take to show. Governance changes don't wait: they
# raise the policy revision, which every request reads first.
CATALOGUE_SECONDS = 60
# Seconds after which an answer is rendered anew, drawn for each, so that answers of one moment part.
RENEWAL_SECONDS = (CATALOGUE_SECONDS / 3, CATALOGUE_SECONDS * 5 / 6)


def holds_until(now: datetime) -> datetime:
    """The moment from which on what is read after this call may be outdated although the policy revision is the same."""
    outdated = now + timedelta(seconds=CATALOGUE_SECONDS)
    boundary = next_consent_boundary(now)
    return min(boundary, outdated) if boundary else outdated


def renews_from(now: datetime) -> datetime:
    """The moment, another one at each call, from which on what is rendered now should be rendered anew."""
    return now + timedelta(seconds=random.SystemRandom().uniform(*RENEWAL_SECONDS))


@dataclass(frozen=True)
class Validity:
    """Until the policy changes, a consent starts or ends, or an edit of the catalogue has to show."""

    policy_revision: int
    until: datetime

    @classmethod
    def of_now(cls, policy_revision: int, now: datetime) -> Validity:
        """Of what is read after this call: a consent recorded later raises the policy revision anyway."""
        return cls(policy_revision, holds_until(now))

    def holds(self, policy_revision: int, now: datetime) -> bool:
        """Whether it may still be used."""
        return policy_revision == self.policy_revision and now < self.until
