"""The pure policy and the SQL queryset give the same answer, whatever the facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethics.models import Attribution, Consent, ConsentItem, GovernedItem, ItemLabel, Label
from ethics.policy import (
    Audience,
    Basis,
    ConsentState,
    ItemFacts,
    LabelRule,
    Purpose,
    SacredStatus,
    Verdict,
    decide,
    explain,
)
from ethics.querysets import facts_of
from tests.factories import make_community

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
MOMENTS = [NOW - timedelta(days=2), NOW - timedelta(days=1), NOW, NOW + timedelta(days=1), NOW + timedelta(days=2)]

consents = st.fixed_dictionaries(
    {
        "state": st.sampled_from(list(ConsentState)),
        "purposes": st.sets(st.sampled_from(list(Purpose)), min_size=1, max_size=3),
        "audiences": st.sets(st.sampled_from(list(Audience)), min_size=1, max_size=2),
        "valid_from": st.sampled_from(MOMENTS[:4]),
        "lasts_days": st.sampled_from([None, 1, 2]),
        "scope": st.sampled_from(["items", "community", "other_item", "other_community"]),
        "superseded": st.booleans(),
    }
)
items = st.fixed_dictionaries(
    {
        "status": st.sampled_from(list(SacredStatus)),
        "basis": st.sampled_from(list(Basis)),
        "attributed": st.booleans(),
        "objected": st.sampled_from([False, False, True]),
        "rules": st.sets(st.sampled_from(list(LabelRule)), max_size=2),
        "consents": st.lists(consents, max_size=3),
    }
)


def _store(described: dict) -> GovernedItem:
    community = make_community()
    sacred = described["status"] == SacredStatus.SACRED
    basis = Basis.NONE if sacred else described["basis"]
    item = GovernedItem.objects.create(
        community=community,
        display_label="" if sacred else "an item",
        sacred_status=described["status"].value,
        basis=basis.value,
        basis_source="a source" if basis == Basis.DOCUMENTED else "",
        objection_at=NOW if described["objected"] else None,
    )
    if described["attributed"]:
        Attribution.objects.create(item=item, statement="a statement")
    for rule in described["rules"]:
        label, _ = Label.objects.get_or_create(
            code=f"T-{rule.value}",
            defaults={
                "kind": "TK",
                "name": rule.value,
                "meaning": "m",
                "source_url": "https://example.org",
                "rule": rule,
            },
        )
        ItemLabel.objects.create(item=item, label=label)
    for entry in described["consents"]:
        _store_consent(item, entry)
    return GovernedItem.objects.with_policy_facts().get(pk=item.pk)


def _store_consent(item: GovernedItem, entry: dict) -> None:
    community = make_community() if entry["scope"] == "other_community" else item.community
    days = entry["lasts_days"]
    consent = Consent.objects.create(
        community=community,
        scope="community" if entry["scope"] == "community" else "items",
        state=entry["state"].value,
        purposes=[purpose.value for purpose in entry["purposes"]],
        audiences=[audience.value for audience in entry["audiences"]],
        valid_from=entry["valid_from"],
        valid_until=entry["valid_from"] + timedelta(days=days) if days else None,
        document_reference="synthetic",
        recorded_by="test",
        withdrawn_at=NOW if entry["state"] == ConsentState.WITHDRAWN else None,
    )
    named = item
    if entry["scope"] == "other_item":
        named = GovernedItem.objects.create(community=item.community, display_label="another item")
    if entry["scope"] != "community":
        ConsentItem.objects.create(consent=consent, item=named)
    if entry["superseded"]:
        later = Consent.objects.create(
            community=make_community(),
            state="pending",
            purposes=["display"],
            audiences=["research"],
            valid_from=NOW,
            document_reference="synthetic",
            recorded_by="test",
        )
        Consent.objects.filter(pk=consent.pk).update(superseded_by=later)


USES = [(purpose, audience) for purpose in Purpose for audience in Audience]
_ANY_ITEM = -1


@cache
def _statement() -> tuple[str, list[Any]]:
    """The queryset's own SQL for every use of one item, compiled once: it differs in the item alone."""
    parts: list[str] = []
    parameters: list[Any] = []
    for number, use in enumerate(USES):
        permitted = GovernedItem.objects.permitted_for(*use, NOW).filter(pk=_ANY_ITEM).order_by().values("pk")
        sql, values = permitted.query.sql_with_params()
        parts.append(f"SELECT {number} WHERE EXISTS ({sql})")
        parameters += values
    return " UNION ALL ".join(parts), parameters


def _permitted_in_sql(item: GovernedItem) -> set[tuple[Purpose, Audience]]:
    sql, parameters = _statement()
    with connection.cursor() as cursor:
        cursor.execute(sql, [item.pk if value == _ANY_ITEM else value for value in parameters])
        return {USES[number] for (number,) in cursor.fetchall()}


def _agrees_everywhere(described: dict) -> None:
    """Compare both for every use of one item, then forget the item: what is rolled back doesn't slow later examples."""
    with transaction.atomic():
        item = _store(described)
        facts = facts_of(item)
        permitted = {use for use in USES if decide(facts, *use, NOW).allowed}
        assert permitted == _permitted_in_sql(item), facts
        assert permitted == {use for use in USES if _allowed_by_the_explanation(facts, *use)}, facts
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_the_statement_asks_what_the_queryset_asks() -> None:
    item = _store(
        {
            "status": SacredStatus.NONE,
            "basis": Basis.DOCUMENTED,
            "attributed": True,
            "objected": False,
            "rules": {LabelRule.NON_COMMERCIAL},
            "consents": [],
        }
    )
    asked = {use for use in USES if GovernedItem.objects.permitted_for(*use, NOW).filter(pk=item.pk).exists()}
    assert _permitted_in_sql(item) == asked
    assert 0 < len(asked) < len(USES)


def _allowed_by_the_explanation(facts: ItemFacts, purpose: Purpose, audience: Audience) -> bool:
    (deciding,) = [entry for entry in explain(facts, purpose, audience, NOW) if entry.decides]
    return deciding.verdict == Verdict.ALLOWS


def _many(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.mark.django_db
@_many(500)
@given(described=items)
def test_policy_and_queryset_agree_for_every_purpose_and_audience(described: dict) -> None:
    _agrees_everywhere(described)


@pytest.mark.slow
@pytest.mark.django_db
@_many(5000)
@given(described=items)
def test_policy_and_queryset_agree_in_five_thousand_examples(described: dict) -> None:
    _agrees_everywhere(described)
