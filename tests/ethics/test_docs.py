"""The tables of ``docs/ethics.md`` are those that the policy is tested with, and its worked example holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ethics.policy import Audience, ConsentFacts, ConsentState, ItemFacts, LabelRule, Purpose, Reason, decide
from ethics.withdrawal_receipt import MEANINGS, RUNNING_MEANINGS
from tests.ethics import truth_table
from tests.ethics.truth_table import NOW, PLAIN

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "ethics.md").read_text(encoding="utf-8")
TABLES = {
    "order": truth_table.order_markdown,
    "consents": truth_table.consents_markdown,
    "rules": truth_table.rules_markdown,
}


def documented_tables() -> dict[str, str]:
    return dict(re.findall(r"<!-- table: (\w+) -->\n(.*?)\n<!-- end -->", DOCUMENT, re.DOTALL))


def test_the_document_has_these_tables() -> None:
    assert documented_tables().keys() == TABLES.keys()


@pytest.mark.parametrize("name", TABLES)
def test_a_documented_table_is_the_tested_one(name: str) -> None:
    assert documented_tables()[name] == TABLES[name]()


def test_the_document_names_every_label_rule() -> None:
    labels = DOCUMENT.split("## Labels")[1].split("\n## ")[0]
    named = set(re.findall(r"^\| ([a-z][a-z -]*) \|", labels, re.MULTILINE)) - {"rule of a label"}
    assert {name.replace(" ", "_").replace("-", "_") for name in named} == set(LabelRule)


def test_the_document_gives_the_steps_of_a_receipt_as_the_receipt_does() -> None:
    assert (
        dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)) == MEANINGS | RUNNING_MEANINGS
    )


def test_the_worked_example_holds() -> None:
    labelled = replace(PLAIN, label_rules=frozenset({LabelRule.NON_COMMERCIAL}))
    grant = ConsentFacts(
        ConsentState.GRANTED,
        frozenset({Purpose.PREDICTION, Purpose.TRAINING}),
        frozenset({Audience.RESEARCH, Audience.PLATFORM}),
        valid_from=NOW,
    )
    granted = replace(labelled, consents=(grant,))
    withdrawn = replace(labelled, consents=(replace(grant, state=ConsentState.WITHDRAWN),))
    steps: list[tuple[ItemFacts, Purpose, Audience, Reason]] = [
        (PLAIN, Purpose.PREDICTION, Audience.COMMERCIAL, Reason.DOCUMENTED),
        (labelled, Purpose.PREDICTION, Audience.COMMERCIAL, Reason.NON_COMMERCIAL),
        (labelled, Purpose.PREDICTION, Audience.RESEARCH, Reason.DOCUMENTED),
        (granted, Purpose.PREDICTION, Audience.RESEARCH, Reason.CONSENTED),
        (withdrawn, Purpose.PREDICTION, Audience.RESEARCH, Reason.REFUSED),
        (withdrawn, Purpose.TRAINING, Audience.PLATFORM, Reason.REFUSED),
        (withdrawn, Purpose.CURATION, Audience.PLATFORM, Reason.REFUSED),
        (withdrawn, Purpose.DISPLAY, Audience.RESEARCH, Reason.DOCUMENTED),
        (replace(withdrawn, has_objection=True), Purpose.DISPLAY, Audience.RESEARCH, Reason.OBJECTION),
    ]
    given = [decide(facts, purpose, audience, NOW).reason for facts, purpose, audience, _ in steps]
    assert given == [reason for *_, reason in steps]
