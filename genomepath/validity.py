"""How long what was read of policy and catalogue may be remembered."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from genomepath.consent_periods import next_consent_boundary

# How long an edit of the catalogue (a title, a source, a review) may take to show. Governance changes don't wait: they
# raise the policy revision, which every request reads first.
CATALOGUE_SECONDS = 60
# Where the catalogue is known to be the same, an answer to a question with the default number is kept so long, and any other
# one as long as an edit may take: there are a hundred times as many.
KEPT_SECONDS = 3600


def holds_until(now: datetime) -> datetime:
    """The moment from which on what is read after this call may be outdated although the policy revision is the same."""
    return _or_next_consent_boundary(now, CATALOGUE_SECONDS)


def kept_until(now: datetime, *, is_asked_often: bool) -> datetime:
    """The moment from which on an answer is not kept, although policy and catalogue are the same.

    It is drawn from the second half of the time, so that answers of one moment do not end together.
    """
    seconds = random.SystemRandom().uniform(KEPT_SECONDS / 2, KEPT_SECONDS) if is_asked_often else CATALOGUE_SECONDS
    return _or_next_consent_boundary(now, seconds)


def _or_next_consent_boundary(now: datetime, seconds: float) -> datetime:
    """So many seconds from now, or the next moment at which a consent starts or ends, if that comes first."""
    ends = now + timedelta(seconds=seconds)
    boundary = next_consent_boundary(now)
    return min(boundary, ends) if boundary else ends


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
