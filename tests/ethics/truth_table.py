"""The policy as written tables: the data of the policy's tests, and of the tables in ``docs/ethics.md``.

``TABLE`` has every rule with a case that it alone decides. ``CONSENT_TABLE`` says what several consents of one item give
together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ethics.policy import (
    DEFAULT_DENY,
    RULES,
    Audience,
    Basis,
    ConsentFacts,
    ConsentState,
    ItemFacts,
    LabelRule,
    Purpose,
    Reason,
    SacredStatus,
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

OTHER_USE = replace(GRANT, purposes=frozenset({Purpose.EXPORT}), audiences=frozenset({Audience.RESEARCH}))
# The consents of the second table, by the words that the table uses. "other use" names another purpose and audience.
CONSENTS = {
    "granted": GRANT,
    "granted, not begun": replace(GRANT, valid_from=NOW + DAY),
    "granted, ended": replace(GRANT, valid_until=NOW),
    "granted for another use": OTHER_USE,
    "granted, superseded": replace(GRANT, superseded=True),
    "pending": replace(GRANT, state=ConsentState.PENDING),
    "denied": DENIED,
    "denied for another use": replace(OTHER_USE, state=ConsentState.DENIED),
    "denied, superseded": replace(DENIED, superseded=True),
    "withdrawn": WITHDRAWN,
    "withdrawn for another use": replace(OTHER_USE, state=ConsentState.WITHDRAWN),
    "withdrawn, superseded": replace(WITHDRAWN, superseded=True),
}
YES_CONSENT, YES_DOCUMENTED, YES_CURATION = Reason.CONSENTED, Reason.DOCUMENTED, Reason.CURATION
REFUSED, NO_BASIS_FOUND = Reason.REFUSED, Reason.NO_BASIS


@dataclass(frozen=True)
class ConsentRow:
    """The consents of one item, in any order, and the reason of the answer: for a use that they name, without another
    basis; for the same use of a documented and published item; and for curation.
    """

    consents: tuple[str, ...]
    without_basis: Reason
    documented: Reason
    curation: Reason

    def cases(self) -> Iterator[tuple[ItemFacts, Purpose, Reason]]:
        """The facts, the purpose and the reason of each column. The audience is commercial."""
        consents = tuple(CONSENTS[words] for words in self.consents)
        yield consented(*consents), Purpose.PREDICTION, self.without_basis
        yield consented(*consents, facts=PLAIN), Purpose.PREDICTION, self.documented
        yield consented(*consents), Purpose.CURATION, self.curation


CONSENT_TABLE = [
    ConsentRow((), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("granted",), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted, not begun",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("granted, ended",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("granted for another use",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("granted, superseded",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("pending",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("denied",), REFUSED, REFUSED, YES_CURATION),
    ConsentRow(("denied for another use",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("denied, superseded",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("withdrawn",), REFUSED, REFUSED, REFUSED),
    ConsentRow(("withdrawn for another use",), NO_BASIS_FOUND, YES_DOCUMENTED, REFUSED),
    ConsentRow(("withdrawn, superseded",), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("granted", "granted"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted", "granted, ended"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted", "granted, not begun"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted, ended", "granted, not begun"), NO_BASIS_FOUND, YES_DOCUMENTED, YES_CURATION),
    ConsentRow(("granted", "granted for another use"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted", "pending"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted", "denied"), REFUSED, REFUSED, YES_CURATION),
    ConsentRow(("granted", "denied for another use"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted", "denied, superseded"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted", "withdrawn"), REFUSED, REFUSED, REFUSED),
    ConsentRow(("granted", "withdrawn for another use"), YES_CONSENT, YES_CONSENT, REFUSED),
    ConsentRow(("granted", "withdrawn, superseded"), YES_CONSENT, YES_CONSENT, YES_CURATION),
    ConsentRow(("granted, superseded", "denied"), REFUSED, REFUSED, YES_CURATION),
    ConsentRow(("granted, superseded", "withdrawn"), REFUSED, REFUSED, REFUSED),
    ConsentRow(("pending", "denied"), REFUSED, REFUSED, YES_CURATION),
    ConsentRow(("pending", "withdrawn"), REFUSED, REFUSED, REFUSED),
    ConsentRow(("denied", "withdrawn"), REFUSED, REFUSED, REFUSED),
    ConsentRow(("granted", "denied", "withdrawn, superseded"), REFUSED, REFUSED, YES_CURATION),
    ConsentRow(("granted", "denied, superseded", "withdrawn for another use"), YES_CONSENT, YES_CONSENT, REFUSED),
]


def rules_markdown() -> str:
    """The first table, as it stands in the documentation."""
    lines = ["| case | purpose | audience | answer | reason |", "| --- | --- | --- | --- | --- |"]
    for row in TABLE:
        answer = "allowed" if row.reason in ALLOWING else "refused"
        lines.append(f"| {row.rule} | {row.purpose} | {row.audience} | {answer} | `{row.reason}` |")
    return "\n".join(lines)


def consents_markdown() -> str:
    """The second table, as it stands in the documentation."""
    lines = [
        "| consents of the item | the use, no other basis | the use, documented item | curation |",
        "| --- | --- | --- | --- |",
    ]
    for row in CONSENT_TABLE:
        answers = (
            f"{'allowed' if reason in ALLOWING else 'refused'}: `{reason}`"
            for reason in (row.without_basis, row.documented, row.curation)
        )
        lines.append(f"| {' + '.join(row.consents) or 'none'} | {' | '.join(answers)} |")
    return "\n".join(lines)


def order_markdown() -> str:
    """The rules in the order in which they speak, as they stand in the documentation."""
    lines = ["| no. | rule | reason |", "| --- | --- | --- |"]
    lines += [f"| {number} | {rule.sentence} | `{rule.reason}` |" for number, rule in enumerate(RULES, start=1)]
    lines.append(f"| {len(RULES) + 1} | {DEFAULT_DENY} | `{Reason.NO_BASIS}` |")
    return "\n".join(lines)
