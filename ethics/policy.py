"""Who may use what, and why: one pure function.

``decide`` knows nothing of the database. ``ethics.querysets`` says the same in SQL, and a property test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What a governed item is to be used for."""

    CURATION = "curation"
    TRAINING = "training"
    PREDICTION = "prediction"
    EXPLANATION = "explanation"
    EXPORT = "export"
    DISPLAY = "display"


class Audience(StrEnum):
    """For whom. ``PLATFORM`` is the platform's own work: curation and training."""

    RESEARCH = "research"
    COMMERCIAL = "commercial"
    COMMUNITY = "community"
    PLATFORM = "platform"


class SacredStatus(StrEnum):
    """``RESTRICTED`` needs a consent; ``SACRED`` is never used."""

    NONE = "none"
    RESTRICTED = "restricted"
    SACRED = "sacred"


class Basis(StrEnum):
    """The basis of use that a governed item stands on."""

    NONE = "none"
    DOCUMENTED = "documented"
    CONSENT = "consent"


class ConsentState(StrEnum):
    """The recorded state. Expiry by the clock follows from ``valid_until`` and needs no state change."""

    PENDING = "pending"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class LabelRule(StrEnum):
    """What a TK or BC label makes the policy do."""

    NONE = "none"
    ATTRIBUTION = "attribution"
    NON_COMMERCIAL = "non_commercial"
    COMMUNITY_ONLY = "community_only"
    SECRET = "secret"  # noqa: S105  the Local Contexts term, not a credential


class Reason(StrEnum):
    """Why a use is allowed or refused. Officers see it; the API never tells it."""

    DOCUMENTED = "documented_and_published"
    CONSENTED = "consent_covers_use"
    CURATION = "curation_of_unrefused_item"
    SACRED = "sacred"
    SECRET_LABEL = "secret_label"  # noqa: S105  a rule, not a credential
    OBJECTION = "community_objection"
    REFUSED = "consent_denied_or_withdrawn"
    UNATTRIBUTED = "attribution_missing"
    COMMUNITY_ONLY = "label_community_only"
    NON_COMMERCIAL = "label_non_commercial"
    NO_BASIS = "no_basis_of_use"


@dataclass(frozen=True)
class ConsentFacts:
    """One consent that covers the item. Intervals are half-open: ``valid_from`` <= now < ``valid_until``."""

    state: ConsentState
    purposes: frozenset[Purpose]
    audiences: frozenset[Audience]
    valid_from: datetime
    valid_until: datetime | None = None
    superseded: bool = False
    reference: str = ""

    def names(self, purpose: Purpose, audience: Audience) -> bool:
        """Whether the consent speaks of this purpose and audience at all."""
        return purpose in self.purposes and audience in self.audiences

    def grants(self, purpose: Purpose, audience: Audience, now: datetime) -> bool:
        """Whether the consent allows the use at this moment."""
        return (
            self.state == ConsentState.GRANTED
            and not self.superseded
            and self.names(purpose, audience)
            and self.valid_from <= now
            and (self.valid_until is None or now < self.valid_until)
        )

    def refuses(self, purpose: Purpose, audience: Audience) -> bool:
        """Whether the consent forbids the use. A withdrawal also closes the item to curation."""
        if self.superseded or self.state not in {ConsentState.DENIED, ConsentState.WITHDRAWN}:
            return False
        if self.state == ConsentState.WITHDRAWN and purpose == Purpose.CURATION:
            return True
        return self.names(purpose, audience)


@dataclass(frozen=True)
class ItemFacts:
    """All that the policy may know of a governed item."""

    sacred_status: SacredStatus
    basis: Basis
    has_basis_source: bool
    has_attribution: bool
    has_objection: bool = False
    label_rules: frozenset[LabelRule] = frozenset()
    consents: tuple[ConsentFacts, ...] = field(default=())


@dataclass(frozen=True)
class Decision:
    """The answer, the rule that gave it, and the consent it rests on (empty for other bases)."""

    allowed: bool
    reason: Reason
    consent_reference: str = ""


def decide(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Decision:
    """Decide whether an item may be used. Default deny: what no rule allows is refused.

    The first rule that speaks wins. Sacred status, a secret label, an objection and a refusal come before any basis of use.
    """
    refusal = _refusal(facts, purpose, audience)
    if refusal is not None:
        return Decision(False, refusal)
    if purpose == Purpose.CURATION:
        return Decision(True, Reason.CURATION)
    if not facts.has_attribution:
        return Decision(False, Reason.UNATTRIBUTED)
    if LabelRule.COMMUNITY_ONLY in facts.label_rules and audience != Audience.COMMUNITY:
        return Decision(False, Reason.COMMUNITY_ONLY)
    if LabelRule.NON_COMMERCIAL in facts.label_rules and audience == Audience.COMMERCIAL:
        return Decision(False, Reason.NON_COMMERCIAL)
    for consent in facts.consents:
        if consent.grants(purpose, audience, now):
            return Decision(True, Reason.CONSENTED, consent.reference)
    if facts.basis == Basis.DOCUMENTED and facts.has_basis_source and facts.sacred_status == SacredStatus.NONE:
        return Decision(True, Reason.DOCUMENTED)
    return Decision(False, Reason.NO_BASIS)


def _refusal(facts: ItemFacts, purpose: Purpose, audience: Audience) -> Reason | None:
    if facts.sacred_status == SacredStatus.SACRED:
        return Reason.SACRED
    if LabelRule.SECRET in facts.label_rules:
        return Reason.SECRET_LABEL
    if facts.has_objection:
        return Reason.OBJECTION
    if any(consent.refuses(purpose, audience) for consent in facts.consents):
        return Reason.REFUSED
    return None
