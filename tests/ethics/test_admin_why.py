"""Officers and stewards see why an item may be used or not, rule by rule; nobody else finds the page."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER
from ethics.consent import consent_withdraw
from ethics.models import AuditEvent, GovernedItem, ItemLabel
from ethics.policy import Audience, LabelRule, Purpose, Verdict, decide, explain
from tests.admin_people import make_consent, make_label, make_person, make_sacred
from tests.ethics.truth_table import CONSENT_TABLE, NOW, TABLE
from tests.factories import make_item, make_practice


def why(item: GovernedItem, **query: str) -> str:
    page = reverse("admin:ethics_governeditem_why", args=[item.pk])
    return f"{page}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


def said(response) -> dict[str, Verdict]:
    return {rule.said.reason.value: rule.said.verdict for rule in response.context["rules"]}


@pytest.fixture
def officer(client: Client) -> Client:
    client.force_login(make_person(COMPLIANCE_OFFICER, "officer"))
    return client


_CASES = [row.facts for row in TABLE] + [facts for row in CONSENT_TABLE for facts, _, _ in row.cases()]


@given(facts=st.sampled_from(_CASES), purpose=st.sampled_from(list(Purpose)), audience=st.sampled_from(list(Audience)))
@settings(max_examples=300, deadline=None)
def test_the_explanation_and_the_decision_are_one(facts, purpose: Purpose, audience: Audience) -> None:
    decision = decide(facts, purpose, audience, NOW)
    verdicts = explain(facts, purpose, audience, NOW)
    (deciding,) = [entry for entry in verdicts if entry.decides]
    assert (deciding.verdict == Verdict.ALLOWS, deciding.reason) == (decision.allowed, decision.reason)
    assert deciding.verdict != Verdict.SILENT
    before = verdicts[: verdicts.index(deciding)]
    assert all(entry.verdict == Verdict.SILENT for entry in before)


@pytest.mark.django_db
def test_the_page_names_the_rule_that_decides_and_the_consent_behind_it(officer: Client) -> None:
    item = make_item()
    consent_withdraw(consent=make_consent(item), reason="asked by the council")
    response = officer.get(why(item, purpose="prediction", audience="research"))
    assert [rule.said.reason.value for rule in response.context["rules"] if rule.said.decides] == [
        "consent_denied_or_withdrawn"
    ]
    assert said(response)["documented_and_published"] == Verdict.ALLOWS
    body = response.content.decode()
    assert "withdrawn consent of" in body
    assert "synthetic letter" in body


@pytest.mark.django_db
def test_the_matrix_has_every_purpose_for_every_audience(officer: Client) -> None:
    item, label = make_item(), make_label(LabelRule.NON_COMMERCIAL)
    ItemLabel.objects.create(item=item, label=label)
    response = officer.get(why(item, purpose="display", audience="commercial"))
    answers = {
        (cell.purpose, cell.audience): cell.decision.allowed for _, cells in response.context["rows"] for cell in cells
    }
    assert len(answers) == len(Purpose) * len(Audience)
    refused = {use for use, allowed in answers.items() if not allowed}
    assert refused == {(purpose, Audience.COMMERCIAL) for purpose in Purpose if purpose != Purpose.CURATION}
    assert str(label) in response.content.decode()


@pytest.mark.django_db
def test_an_unknown_use_shows_the_usual_one(officer: Client) -> None:
    response = officer.get(why(make_item(), purpose="resale", audience="everybody"))
    assert (response.status_code, response.context["cell"].purpose) == (200, Purpose.PREDICTION)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [COMPLIANCE_OFFICER, COMMUNITY_STEWARD])
def test_opening_the_page_of_a_sacred_item_is_recorded(role: str, client: Client) -> None:
    sacred = make_sacred("a protected name")
    client.force_login(make_person(role))
    response = client.get(why(sacred))
    assert "a protected name" not in response.content.decode()
    event = AuditEvent.objects.get(event_type="sacred.viewed")
    assert (event.subject_ids, event.actor_role) == ([str(sacred.public_id)], role)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [CURATOR, ML_ENGINEER])
def test_other_roles_find_no_such_page_and_no_button(role: str, client: Client) -> None:
    item = make_item()
    client.force_login(make_person(role))
    assert client.get(why(item)).status_code == 404
    assert client.get(why(make_sacred("a protected name"))).status_code == 404
    change = client.get(reverse("admin:ethics_governeditem_change", args=[item.pk]))
    assert reverse("admin:ethics_governeditem_why", args=[item.pk]) not in change.content.decode()
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_the_page_of_an_item_has_the_button(officer: Client) -> None:
    item = make_item()
    change = officer.get(reverse("admin:ethics_governeditem_change", args=[item.pk]))
    assert reverse("admin:ethics_governeditem_why", args=[item.pk]) in change.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "has_button"), [(COMPLIANCE_OFFICER, True), (COMMUNITY_STEWARD, True), (CURATOR, False)]
)
def test_a_practice_has_the_button_for_those_who_may_read_the_answer(
    role: str, has_button: bool, client: Client
) -> None:
    practice = make_practice()
    client.force_login(make_person(role))
    address = reverse("admin:correlations_practice_why", args=[practice.pk])

    change = client.get(reverse("admin:correlations_practice_change", args=[practice.pk]))
    assert (address in change.content.decode()) == has_button
    response = client.get(address)
    assert response.status_code == (302 if has_button else 403)
    if has_button:
        assert response.headers["Location"] == why(practice.item).rstrip("?")


@pytest.mark.django_db
def test_an_item_that_does_not_exist_has_no_page(officer: Client) -> None:
    assert officer.get(reverse("admin:ethics_governeditem_why", args=[987654])).status_code == 404
