"""What is withheld is on no admin page of somebody who may not see it: lists, search, choices, filters, history."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from correlations.models import Evidence
from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER
from ethics.consent import consent_withdraw
from ethics.models import AuditEvent
from ethics.policy import LabelRule, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from tests.admin_forms import form_data
from tests.admin_people import make_consent, make_label, make_person, make_sacred
from tests.factories import make_correlation, make_item, make_model_version, make_practice, make_target, publish

pytestmark = pytest.mark.django_db

SEARCHED, MARK = "canary", "zr7q"
CANARY = f"{SEARCHED}-{MARK}"
WITHHELD = ["sacred", "objected", "withdrawn", "secret label"]


def withhold(kind: str):
    """A practice full of canaries, then taken out of use; an open one beside it."""
    practice = make_practice(
        item=make_item(display_label=f"{CANARY} item"),
        slug=CANARY,
        title=f"{CANARY} title",
        tradition=f"{CANARY} tradition",
        preparation=f"{CANARY} preparation",
    )
    evidence = practice.sources.get()
    Evidence.objects.filter(pk=evidence.pk).update(key=f"{CANARY}-evidence", reference=f"{CANARY} reference")
    target = make_target()
    correlation = make_correlation(practice, target, mechanism=f"{CANARY} mechanism")
    publish(make_model_version(), [practice], [target])
    if kind == "sacred":
        item_set_status(item=practice.item, status=SacredStatus.SACRED)
    elif kind == "objected":
        item_record_objection(item=practice.item, reference="synthetic letter", reason="synthetic")
    elif kind == "withdrawn":
        consent_withdraw(consent=make_consent(practice.item), reason="synthetic")
    else:
        practice.item.item_labels.create(label=make_label(LabelRule.SECRET))
    return practice, correlation, evidence


def admin_url(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def lists_and_searches() -> list[str]:
    models = [
        "correlations_practice", "correlations_correlation", "correlations_evidence", "correlations_dosageprofile",
        "correlations_practiceindication", "correlations_correlationevidence", "correlations_condition",
        "genomepath_prediction", "genomepath_modelversion", "ethics_governeditem", "ethics_attribution",
        "ethics_itemlabel", "ethics_community", "ethics_label",
    ]  # fmt: skip
    return [admin_url(model, "changelist") + query for model in models for query in ("", f"?q={SEARCHED}")]


@pytest.mark.parametrize("kind", WITHHELD)
@pytest.mark.parametrize("role", [CURATOR, ML_ENGINEER])
def test_no_list_search_or_index_shows_a_withheld_practice(role: str, kind: str, client: Client) -> None:
    withhold(kind)
    client.force_login(make_person(role))
    for address in [reverse("admin:index"), *lists_and_searches()]:
        response = client.get(address)
        assert response.status_code in (200, 403), address
        assert MARK not in response.content.decode(), address


def test_the_lists_do_show_a_practice_that_is_open(client: Client) -> None:
    make_practice(title=f"{CANARY} title")
    client.force_login(make_person(CURATOR))
    assert MARK in client.get(f"{admin_url('correlations_practice', 'changelist')}?q={SEARCHED}").content.decode()


@pytest.mark.parametrize("kind", WITHHELD)
def test_the_pages_of_a_withheld_practice_answer_like_those_of_an_absent_one(kind: str, client: Client) -> None:
    practice, correlation, evidence = withhold(kind)
    client.force_login(make_person(CURATOR))
    for model, record in (
        ("correlations_practice", practice),
        ("correlations_correlation", correlation),
        ("correlations_evidence", evidence),
        ("correlations_dosageprofile", practice.dosage_profiles.first()),
        ("ethics_governeditem", practice.item),
        ("ethics_attribution", practice.item.attribution),
    ):
        for page in ("change", "history", "delete"):
            hidden, absent = (client.get(admin_url(model, page, pk)) for pk in (record.pk, 987_654_321))
            assert hidden.status_code == absent.status_code, (model, page)
            assert hidden.headers.get("Location") == absent.headers.get("Location"), (model, page)
            assert CANARY not in hidden.content.decode()


@pytest.mark.parametrize("kind", WITHHELD)
def test_autocomplete_offers_no_withheld_practice(kind: str, client: Client) -> None:
    withhold(kind)
    client.force_login(make_person(CURATOR))
    for app, model, field in (
        ("correlations", "correlation", "practice"),
        ("correlations", "dosageprofile", "practice"),
        ("correlations", "practice", "sources"),
        ("correlations", "synergypair", "evidence"),
    ):
        query = {"app_label": app, "model_name": model, "field_name": field, "term": CANARY}
        answer = client.get(reverse("admin:autocomplete"), query)
        assert answer.status_code == 200
        assert json.loads(answer.content)["results"] == []


def test_a_withheld_practice_cannot_be_chosen_by_its_number(client: Client) -> None:
    practice, _, _ = withhold("objected")
    client.force_login(make_person(CURATOR))
    response = client.post(
        admin_url("correlations_practiceindication", "add"),
        {"practice": practice.pk, "condition": practice.indications.get().pk, "position": 5},
    )
    assert "Select a valid choice" in response.content.decode()
    assert practice.practice_indications.count() == 1


@pytest.mark.parametrize(
    "query",
    [
        "ethics_community/?items__display_label__startswith=c",
        "ethics_community/?items=1",
        "correlations_condition/?practices=1",
        "correlations_evidence/?practices__title__startswith=c",
        "correlations_genomictarget/?correlations__practice=1",
        "ethics_governeditem/?protected_names__contains=x",
    ],
)
def test_a_list_cannot_be_asked_about_rows_that_it_does_not_show(query: str, client: Client) -> None:
    model, parameters = query.split("/")
    client.force_login(make_person(CURATOR))
    assert client.get(admin_url(model, "changelist") + parameters).status_code == 400


def test_no_title_stays_in_the_admins_own_log(client: Client) -> None:
    practice = make_practice(title=f"{CANARY} title")
    client.force_login(make_person(CURATOR))
    page = admin_url("correlations_practice", "change", practice.pk)
    client.post(page, form_data(client.get(page)) | {"region": "another region"})
    practice.refresh_from_db()
    assert practice.region == "another region"
    assert not LogEntry.objects.exists()


def test_protected_names_are_for_stewards_and_officers(client: Client) -> None:
    item = make_item(sacred_status=SacredStatus.RESTRICTED, protected_names=[f"{CANARY} name"])
    page, history = (admin_url("ethics_governeditem", name, item.pk) for name in ("change", "history"))
    client.force_login(make_person(CURATOR))
    assert CANARY not in client.get(page).content.decode() + client.get(history).content.decode()
    client.force_login(make_person(COMMUNITY_STEWARD))
    assert CANARY in client.get(page).content.decode()


@pytest.mark.parametrize("role", [COMPLIANCE_OFFICER, COMMUNITY_STEWARD])
def test_a_sacred_record_opens_as_a_placeholder_and_the_opening_is_logged(role: str, client: Client) -> None:
    item = make_sacred("protected-name-1")
    person = make_person(role)
    client.force_login(person)
    text = client.get(admin_url("ethics_governeditem", "change", item.pk)).content.decode()
    assert "protected-name-1" in text
    assert 'name="_save"' not in text
    event = AuditEvent.objects.get(event_type="sacred.viewed")
    assert (event.subject_ids, event.actor_name) == ([str(item.public_id)], person.get_username())


def test_what_a_sacred_item_said_before_is_on_no_page_of_a_steward(client: Client) -> None:
    practice, _, _ = withhold("sacred")
    client.force_login(make_person(COMMUNITY_STEWARD))
    item = practice.item
    history = client.get(admin_url("ethics_governeditem", "history", item.pk)).content.decode()
    listed = client.get(admin_url("ethics_governeditem", "changelist")).content.decode()
    practices = client.get(admin_url("correlations_practice", "changelist")).content.decode()
    assert str(item.public_id) in listed
    assert CANARY not in history + listed + practices


def test_nobody_writes_the_audit_log_not_even_a_superuser(admin_client: Client) -> None:
    admin_client.post(
        admin_url("ethics_community", "add"),
        {"name": "Synthetic", "slug": "synthetic", "change_reason": "a synthetic community"},
    )
    event = AuditEvent.objects.latest("id")
    assert admin_client.get(admin_url("ethics_auditevent", "add")).status_code == 403
    assert admin_client.get(admin_url("ethics_auditevent", "delete", event.pk)).status_code == 403
    page = admin_url("ethics_auditevent", "change", event.pk)
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"event_type": "x"}).status_code == 403


def test_a_superuser_without_the_role_sees_no_sacred_record(admin_client: Client) -> None:
    item = make_sacred(f"{CANARY} name")
    listed = admin_client.get(admin_url("ethics_governeditem", "changelist")).content.decode()
    assert str(item.public_id) not in listed
    assert admin_client.get(admin_url("ethics_governeditem", "change", item.pk)).status_code == 302
