"""Who may use what, and why: one pure function.

``RULES`` is the policy: the first rule that speaks wins, and what no rule allows is refused. ``decide`` gives the answer,
``explain`` what every rule says. Both know nothing of the database. ``ethics.querysets`` says the same in SQL, and a
property test holds the two equal. ``docs/ethics.md`` tells the rules in words.
"""

from __future__ import annotations

from collections.abc import Callable
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


class Verdict(StrEnum):
    """What one rule says of a use."""

    REFUSES = "refuses"
    ALLOWS = "allows"
    SILENT = "silent"


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


@dataclass(frozen=True)
class Finding:
    """What a rule found: its verdict, and the references of the consents that it rests on."""

    verdict: Verdict
    consent_references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule of the policy: its sentence, the reason that it gives, and how it judges."""

    sentence: str
    reason: Reason
    judge: Callable[[ItemFacts, Purpose, Audience, datetime], Finding]


@dataclass(frozen=True)
class RuleVerdict:
    """What a rule says of a use. ``decides`` marks the one whose verdict is the answer."""

    rule: str
    reason: Reason
    verdict: Verdict
    consent_references: tuple[str, ...] = ()
    decides: bool = False


_SILENT = Finding(Verdict.SILENT)


def _refuses_if(condition: bool) -> Finding:
    return Finding(Verdict.REFUSES) if condition else _SILENT


def _sacred(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return _refuses_if(facts.sacred_status == SacredStatus.SACRED)


def _secret_label(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return _refuses_if(LabelRule.SECRET in facts.label_rules)


def _objection(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return _refuses_if(facts.has_objection)


def _refused(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    references = tuple(consent.reference for consent in facts.consents if consent.refuses(purpose, audience))
    return Finding(Verdict.REFUSES, references) if references else _SILENT


def _curation(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return Finding(Verdict.ALLOWS) if purpose == Purpose.CURATION else _SILENT


def _unattributed(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return _refuses_if(not facts.has_attribution)


def _community_only(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return _refuses_if(LabelRule.COMMUNITY_ONLY in facts.label_rules and audience != Audience.COMMUNITY)


def _non_commercial(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    return _refuses_if(LabelRule.NON_COMMERCIAL in facts.label_rules and audience == Audience.COMMERCIAL)


def _consented(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    references = tuple(consent.reference for consent in facts.consents if consent.grants(purpose, audience, now))
    return Finding(Verdict.ALLOWS, references) if references else _SILENT


def _documented(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Finding:
    stands = facts.basis == Basis.DOCUMENTED and facts.has_basis_source and facts.sacred_status == SacredStatus.NONE
    return Finding(Verdict.ALLOWS) if stands else _SILENT


RULES: tuple[Rule, ...] = (
    Rule("A sacred item is never used.", Reason.SACRED, _sacred),
    Rule("A secret label refuses every use.", Reason.SECRET_LABEL, _secret_label),
    Rule("An objection of the community refuses every use.", Reason.OBJECTION, _objection),
    Rule(
        "A denied or withdrawn consent refuses the uses that it names; a withdrawn one refuses curation as well.",
        Reason.REFUSED,
        _refused,
    ),
    Rule("An item that nothing above refuses may be curated.", Reason.CURATION, _curation),
    Rule("An item without its attribution is not used.", Reason.UNATTRIBUTED, _unattributed),
    Rule("A community-only label refuses everybody but the community.", Reason.COMMUNITY_ONLY, _community_only),
    Rule("A non-commercial label refuses commercial clients.", Reason.NON_COMMERCIAL, _non_commercial),
    Rule("A consent in force that names purpose and audience allows the use.", Reason.CONSENTED, _consented),
    Rule(
        "An item that is documented and published, with its source and without a sacred status, may be used.",
        Reason.DOCUMENTED,
        _documented,
    ),
)
DEFAULT_DENY = "What no rule allows is refused."


def decide(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> Decision:
    """Decide whether an item may be used. Default deny: what no rule allows is refused.

    The first rule that speaks wins. Sacred status, a secret label, an objection and a refusal come before any basis of use.
    """
    for rule in RULES:
        finding = rule.judge(facts, purpose, audience, now)
        if finding.verdict == Verdict.REFUSES:
            return Decision(False, rule.reason)
        if finding.verdict == Verdict.ALLOWS:
            return Decision(True, rule.reason, next(iter(finding.consent_references), ""))
    return Decision(False, Reason.NO_BASIS)


def explain(facts: ItemFacts, purpose: Purpose, audience: Audience, now: datetime) -> tuple[RuleVerdict, ...]:
    """What every rule says of a use, in the order in which they speak; the last one is the default.

    Exactly one of them decides: the first that is not silent, as in ``decide``. Those after it are asked as well, so that
    a reader sees what would still refuse the use if the deciding rule no longer spoke. For officers and stewards only.
    """
    decided = False
    verdicts = []
    for rule in RULES:
        finding = rule.judge(facts, purpose, audience, now)
        decides = not decided and finding.verdict != Verdict.SILENT
        decided = decided or decides
        verdicts.append(RuleVerdict(rule.sentence, rule.reason, finding.verdict, finding.consent_references, decides))
    default = Verdict.SILENT if decided else Verdict.REFUSES
    return (*verdicts, RuleVerdict(DEFAULT_DENY, Reason.NO_BASIS, default, decides=not decided))
