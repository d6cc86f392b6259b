"""How long what was read of policy and catalogue may be remembered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from genomepath.answer_cache import CATALOGUE_SECONDS
from genomepath.consent_periods import next_consent_boundary


@dataclass(frozen=True)
class Validity:
    """Until the policy changes, a consent starts or ends, or an edit of the catalogue has to show."""

    policy_revision: int
    valid_until: datetime | None
    made_at: float

    @classmethod
    def of_now(cls, policy_revision: int, now: datetime) -> Validity:
        """Of what is read after this call: a consent recorded later raises the policy revision anyway."""
        return cls(policy_revision, next_consent_boundary(now), time.monotonic())

    def holds(self, policy_revision: int, now: datetime) -> bool:
        """Whether it may still be used."""
        is_young = time.monotonic() - self.made_at < CATALOGUE_SECONDS
        is_valid = self.valid_until is None or now < self.valid_until
        return policy_revision == self.policy_revision and is_young and is_valid
