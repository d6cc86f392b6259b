"""The policy gives the answers of its written tables; every clause of it is needed for that."""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from ethics import policy
from ethics.policy import RULES, Audience, Decision, LabelRule, Purpose, Reason, SacredStatus, Verdict, decide, explain
from tests.ethics.truth_table import (
    ALLOWING,
    CONSENT_TABLE,
    CONSENTS,
    GRANT,
    NO_BASIS,
    NOW,
    PLAIN,
    TABLE,
    WITHDRAWN,
    ConsentRow,
    Row,
    consented,
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.rule)
def test_the_policy_decides_as_the_table_says(row: Row) -> None:
    decision = decide(row.facts, row.purpose, row.audience, NOW)
    assert (decision.reason, decision.allowed) == (row.reason, row.reason in ALLOWING)


@pytest.mark.parametrize("row", CONSENT_TABLE, ids=lambda row: " + ".join(row.consents) or "none")
def test_several_consents_of_one_item_give_what_the_table_says_in_any_order(row: ConsentRow) -> None:
    for facts, purpose, reason in row.cases():
        for order in itertools.permutations(facts.consents):
            decision = decide(replace(facts, consents=order), purpose, Audience.COMMERCIAL, NOW)
            assert (decision.reason, decision.allowed) == (reason, reason in ALLOWING), purpose


def test_every_kind_of_consent_stands_alone_and_with_another_in_the_table() -> None:
    alone = {row.consents[0] for row in CONSENT_TABLE if len(row.consents) == 1}
    together = {words for row in CONSENT_TABLE if len(row.consents) > 1 for words in row.consents}
    assert alone == together == set(CONSENTS)


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


def _differs_from_the_tables(module: ModuleType) -> bool:
    """Whether a policy gives another answer than the tables in some line."""
    cases = [(row.facts, row.purpose, row.audience, row.reason) for row in TABLE]
    cases += [
        (facts, purpose, Audience.COMMERCIAL, reason) for row in CONSENT_TABLE for facts, purpose, reason in row.cases()
    ]
    return any(
        module.decide(_in(module, facts), purpose, audience, NOW).reason != reason
        for facts, purpose, audience, reason in cases
    )


def _in(module: ModuleType, facts: policy.ItemFacts) -> policy.ItemFacts:
    """The facts, with consents that judge by the module's rules."""
    consents = tuple(module.ConsentFacts(**vars(consent)) for consent in facts.consents)
    return replace(facts, consents=consents)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.reason.value)
def test_the_tables_notice_the_loss_of_a_rule(rule: policy.Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "RULES", tuple(kept for kept in RULES if kept is not rule))
    assert _differs_from_the_tables(policy)


def test_the_tables_hold_for_the_whole_policy() -> None:
    assert not _differs_from_the_tables(policy)


_JUDGING = {"grants", "refuses", "names", *(rule.judge.__name__ for rule in RULES)}


def _mutants() -> Iterator[tuple[str, ast.Module]]:
    """The policy without one operand of one ``and`` or ``or``: each clause of each condition removed in turn."""
    tree = ast.parse(inspect.getsource(policy))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in _JUDGING]
    for function in functions:
        for number, node in enumerate(node for node in ast.walk(function) if isinstance(node, ast.BoolOp)):
            for position, operand in enumerate(node.values):
                mutant = copy.deepcopy(tree)
                same = next(
                    found for found in ast.walk(mutant)
                    if isinstance(found, ast.FunctionDef) and found.name == function.name
                )  # fmt: skip
                operation = [found for found in ast.walk(same) if isinstance(found, ast.BoolOp)][number]
                operation.values[position] = ast.Constant(isinstance(operation.op, ast.And))
                yield f"{function.name} without {ast.unparse(operand)}", mutant


@pytest.mark.parametrize("name, tree", [pytest.param(*mutant, id=mutant[0]) for mutant in _mutants()])
def test_the_tables_notice_the_loss_of_a_clause(name: str, tree: ast.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("policy_without_a_clause")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # dataclasses look their module up there
    exec(compile(ast.fix_missing_locations(tree), name, "exec"), vars(module))  # noqa: S102  our own policy, less a clause
    try:
        assert _differs_from_the_tables(module)
    except TypeError as error:  # without its guard, an open end is compared with the clock
        assert name == "grants without self.valid_until is None", error


def test_the_explanation_names_the_rule_that_decides_and_what_would_follow() -> None:
    facts = replace(consented(GRANT, WITHDRAWN, facts=PLAIN), has_objection=True)
    said = {entry.reason: entry for entry in explain(facts, Purpose.PREDICTION, Audience.COMMERCIAL, NOW)}
    assert [reason for reason, entry in said.items() if entry.decides] == [Reason.OBJECTION]
    assert said[Reason.REFUSED].verdict == Verdict.REFUSES
    assert said[Reason.CONSENTED].consent_references == ("consent-1",)
    assert said[Reason.SACRED].verdict == said[Reason.NO_BASIS].verdict == Verdict.SILENT
