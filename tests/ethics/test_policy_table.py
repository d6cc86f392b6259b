"""The policy as a written table: every rule with the case that it alone decides, and the order in which rules speak."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from ethics.policy import (
    Audience,
    Basis,
    ConsentFacts,
    ConsentState,
    Decision,
    ItemFacts,
    LabelRule,
    Purpose,
    Reason,
    SacredStatus,
    decide,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLAIN = ItemFacts(SacredStatus.NONE, Basis.DOCUMENTED, has_basis_source=True, has_attribution=True)
NO_BASIS = replace(PLAIN, basis=Basis.NONE, has_basis_source=False)
GRANT = ConsentFacts(
    ConsentState.GRANTED,
    frozenset({Purpose.PREDICTION}),
    frozenset({Audience.COMMERCIAL}),
    valid_from=NOW - DAY,
    reference="consent-1",
)


def consented(*consents: ConsentFacts, facts: ItemFacts = NO_BASIS) -> ItemFacts:
    return replace(facts, consents=consents)


def labelled(*rules: LabelRule, facts: ItemFacts = PLAIN) -> ItemFacts:
    return replace(facts, label_rules=frozenset(rules))


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    rule: str
    facts: ItemFacts
    reason: Reason
    purpose: Purpose = Purpose.PREDICTION
    audience: Audience = Audience.COMMERCIAL


ALLOWING = {Reason.DOCUMENTED, Reason.CONSENTED, Reason.CURATION}
DENIED = replace(GRANT, state=ConsentState.DENIED)
WITHDRAWN = replace(GRANT, state=ConsentState.WITHDRAWN)
TABLE = [
    Row("a documented and published item may be used", PLAIN, Reason.DOCUMENTED),
    Row("a consent that covers the use allows it", consented(GRANT), Reason.CONSENTED),
    Row("an item that nobody refused may be curated", NO_BASIS, Reason.CURATION, Purpose.CURATION),
    Row("curation needs no attribution", replace(NO_BASIS, has_attribution=False), Reason.CURATION, Purpose.CURATION),
    Row("what no rule allows is refused", NO_BASIS, Reason.NO_BASIS),
    Row("a documented item without its source is refused", replace(PLAIN, has_basis_source=False), Reason.NO_BASIS),
    Row("the basis 'consent' allows nothing without a consent", replace(PLAIN, basis=Basis.CONSENT), Reason.NO_BASIS),
    Row("a sacred item is refused", replace(PLAIN, sacred_status=SacredStatus.SACRED), Reason.SACRED),
    Row(
        "a sacred item is refused although a consent covers it",
        consented(GRANT, facts=replace(PLAIN, sacred_status=SacredStatus.SACRED)),
        Reason.SACRED,
    ),
    Row(
        "a sacred item is closed to curation",
        replace(PLAIN, sacred_status=SacredStatus.SACRED),
        Reason.SACRED,
        Purpose.CURATION,
        Audience.PLATFORM,
    ),
    Row(
        "a restricted item is not used on a publication alone",
        replace(PLAIN, sacred_status=SacredStatus.RESTRICTED),
        Reason.NO_BASIS,
    ),
    Row(
        "a restricted item is used with a consent",
        consented(GRANT, facts=replace(PLAIN, sacred_status=SacredStatus.RESTRICTED)),
        Reason.CONSENTED,
    ),
    Row("a secret label refuses", labelled(LabelRule.SECRET), Reason.SECRET_LABEL),
    Row(
        "a secret label beats a consent",
        labelled(LabelRule.SECRET, facts=consented(GRANT)),
        Reason.SECRET_LABEL,
    ),
    Row("a secret label closes to curation", labelled(LabelRule.SECRET), Reason.SECRET_LABEL, Purpose.CURATION),
    Row("an objection beats a publication", replace(PLAIN, has_objection=True), Reason.OBJECTION),
    Row("an objection beats a consent", consented(GRANT, facts=replace(PLAIN, has_objection=True)), Reason.OBJECTION),
    Row("an objection closes to curation", replace(PLAIN, has_objection=True), Reason.OBJECTION, Purpose.CURATION),
    Row("a denied consent beats a publication", consented(DENIED, facts=PLAIN), Reason.REFUSED),
    Row("a denied consent beats a granted one", consented(GRANT, DENIED), Reason.REFUSED),
    Row(
        "a denied consent speaks of its purposes only",
        consented(DENIED, facts=PLAIN),
        Reason.DOCUMENTED,
        Purpose.EXPORT,
    ),
    Row(
        "a denied consent speaks of its audiences only",
        consented(DENIED, facts=PLAIN),
        Reason.DOCUMENTED,
        audience=Audience.RESEARCH,
    ),
    Row("a denied consent for display leaves curation open", consented(DENIED), Reason.CURATION, Purpose.CURATION),
    Row("a withdrawal beats a publication", consented(WITHDRAWN, facts=PLAIN), Reason.REFUSED),
    Row("a withdrawal beats a granted consent, in any order", consented(WITHDRAWN, GRANT), Reason.REFUSED),
    Row("a withdrawal closes to curation", consented(WITHDRAWN, facts=PLAIN), Reason.REFUSED, Purpose.CURATION),
    Row("a withdrawal speaks of its purposes", consented(WITHDRAWN, facts=PLAIN), Reason.DOCUMENTED, Purpose.EXPORT),
    Row(
        "a refusal that a later consent superseded no longer speaks",
        consented(replace(WITHDRAWN, superseded=True), GRANT),
        Reason.CONSENTED,
    ),
    Row("a superseded consent allows nothing", consented(replace(GRANT, superseded=True)), Reason.NO_BASIS),
    Row("a pending consent allows nothing", consented(replace(GRANT, state=ConsentState.PENDING)), Reason.NO_BASIS),
    Row(
        "a pending consent refuses nothing",
        consented(replace(GRANT, state=ConsentState.PENDING), facts=PLAIN),
        Reason.DOCUMENTED,
    ),
    Row("a consent covers its purposes only", consented(GRANT), Reason.NO_BASIS, Purpose.EXPORT),
    Row("a consent covers its audiences only", consented(GRANT), Reason.NO_BASIS, audience=Audience.RESEARCH),
    Row("a consent begins at its start", consented(replace(GRANT, valid_from=NOW)), Reason.CONSENTED),
    Row(
        "a consent does not hold before its start",
        consented(replace(GRANT, valid_from=NOW + timedelta(microseconds=1))),
        Reason.NO_BASIS,
    ),
    Row(
        "a consent holds until just before its end",
        consented(replace(GRANT, valid_until=NOW + timedelta(microseconds=1))),
        Reason.CONSENTED,
    ),
    Row("a consent does not hold at its end", consented(replace(GRANT, valid_until=NOW)), Reason.NO_BASIS),
    Row(
        "the end of one consent leaves another in force",
        consented(replace(GRANT, valid_until=NOW), replace(GRANT, reference="consent-2")),
        Reason.CONSENTED,
    ),
    Row("an unattributed item is refused", replace(PLAIN, has_attribution=False), Reason.UNATTRIBUTED),
    Row(
        "an unattributed item is refused although a consent covers it",
        consented(GRANT, facts=replace(NO_BASIS, has_attribution=False)),
        Reason.UNATTRIBUTED,
    ),
    Row("a community-only label refuses other clients", labelled(LabelRule.COMMUNITY_ONLY), Reason.COMMUNITY_ONLY),
    Row(
        "a community-only label refuses the platform's own training",
        labelled(LabelRule.COMMUNITY_ONLY),
        Reason.COMMUNITY_ONLY,
        Purpose.TRAINING,
        Audience.PLATFORM,
    ),
    Row(
        "a community-only label lets the community in",
        labelled(LabelRule.COMMUNITY_ONLY),
        Reason.DOCUMENTED,
        audience=Audience.COMMUNITY,
    ),
    Row(
        "a community-only label beats a consent",
        labelled(LabelRule.COMMUNITY_ONLY, facts=consented(GRANT)),
        Reason.COMMUNITY_ONLY,
    ),
    Row("a non-commercial label refuses commerce", labelled(LabelRule.NON_COMMERCIAL), Reason.NON_COMMERCIAL),
    Row(
        "a non-commercial label lets research in",
        labelled(LabelRule.NON_COMMERCIAL),
        Reason.DOCUMENTED,
        audience=Audience.RESEARCH,
    ),
    Row(
        "a non-commercial label beats a consent",
        labelled(LabelRule.NON_COMMERCIAL, facts=consented(GRANT)),
        Reason.NON_COMMERCIAL,
    ),
    Row("other labels change nothing", labelled(LabelRule.ATTRIBUTION, LabelRule.NONE), Reason.DOCUMENTED),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
def test_the_policy_decides_as_the_table_says(row: Row) -> None:
    decision = decide(row.facts, row.purpose, row.audience, NOW)
    assert (decision.reason, decision.allowed) == (row.reason, row.reason in ALLOWING)


def test_every_reason_has_its_line() -> None:
    assert {row.reason for row in TABLE} == set(Reason)


def test_a_consent_is_preferred_to_a_publication_and_named() -> None:
    decision = decide(consented(GRANT, facts=PLAIN), Purpose.PREDICTION, Audience.COMMERCIAL, NOW)
    assert decision == Decision(True, Reason.CONSENTED, "consent-1")


def test_a_publication_is_never_shown_as_a_consent() -> None:
    assert decide(PLAIN, Purpose.PREDICTION, Audience.COMMERCIAL, NOW) == Decision(True, Reason.DOCUMENTED, "")


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (Reason.SACRED, Reason.SECRET_LABEL),
        (Reason.SECRET_LABEL, Reason.OBJECTION),
        (Reason.OBJECTION, Reason.REFUSED),
        (Reason.REFUSED, Reason.UNATTRIBUTED),
        (Reason.UNATTRIBUTED, Reason.COMMUNITY_ONLY),
        (Reason.COMMUNITY_ONLY, Reason.NON_COMMERCIAL),
        (Reason.NON_COMMERCIAL, Reason.NO_BASIS),
    ],
)
def test_the_first_rule_of_two_gives_the_reason(stronger: Reason, weaker: Reason) -> None:
    facts = NO_BASIS
    rules: set[LabelRule] = set()
    for reason in (stronger, weaker):
        if reason == Reason.SACRED:
            facts = replace(facts, sacred_status=SacredStatus.SACRED)
        elif reason == Reason.OBJECTION:
            facts = replace(facts, has_objection=True)
        elif reason == Reason.REFUSED:
            facts = replace(facts, consents=(WITHDRAWN,))
        elif reason == Reason.UNATTRIBUTED:
            facts = replace(facts, has_attribution=False)
        else:
            rules |= {
                Reason.SECRET_LABEL: {LabelRule.SECRET},
                Reason.COMMUNITY_ONLY: {LabelRule.COMMUNITY_ONLY},
                Reason.NON_COMMERCIAL: {LabelRule.NON_COMMERCIAL},
                Reason.NO_BASIS: set(),
            }[reason]
    facts = replace(facts, label_rules=frozenset(rules))
    assert decide(facts, Purpose.PREDICTION, Audience.COMMERCIAL, NOW) == Decision(False, stronger)
