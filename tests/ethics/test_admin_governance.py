"""Stewards and officers record what communities decide, through the admin; every write leaves its audit event."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER
from ethics.models import ApiClient, ApiKey, AuditEvent, Community, Consent, GovernedItem
from ethics.policy import Audience, LabelRule, Purpose, SacredStatus
from genomepath.models import ModelVersion
from tests.admin_forms import form_data
from tests.admin_people import make_consent, make_label, make_person
from tests.factories import make_community, make_item, make_model_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def community() -> Community:
    return make_community()


@pytest.fixture
def steward(community: Community, client: Client) -> Client:
    client.force_login(make_person(COMMUNITY_STEWARD, "steward", communities=[community]))
    return client


@pytest.fixture
def officer(client: Client) -> Client:
    client.force_login(make_person(COMPLIANCE_OFFICER, "officer"))
    return client


def events(event_type: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event_type=event_type))


def consent_form(item: GovernedItem, **changed: object) -> dict[str, object]:
    return {
        "community": item.community.pk,
        "scope": "items",
        "items": [item.pk],
        "state": "granted",
        "purposes": ["training", "prediction"],
        "audiences": ["platform", "research"],
        "valid_from_0": "2026-01-01",
        "valid_from_1": "00:00:00",
        "valid_until_0": "",
        "valid_until_1": "",
        "document_reference": "synthetic letter",
        "document_sha256": "",
        "change_reason": "synthetic reason",
        **changed,
    }


def test_a_consent_is_recorded_with_its_items_and_its_event(steward: Client, community: Community) -> None:
    item = make_item(community=community)
    response = steward.post(reverse("admin:ethics_consent_add"), consent_form(item))
    assert response.status_code == 302
    consent = Consent.objects.get()
    assert list(consent.items.all()) == [item]
    assert (consent.recorded_by, consent.state) == ("steward", "granted")
    assert [event.actor_name for event in events("consent.recorded")] == ["steward"]


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"items": []}, "items", "Name at least one item"),
        ({"scope": "community"}, "items", "Leave this empty"),
        ({"valid_until_0": "2025-01-01", "valid_until_1": "00:00"}, "valid_until", "must end after it begins"),
        ({"document_sha256": "abc"}, "document_sha256", "64 digits"),
        ({"purposes": ["world domination"]}, "purposes", "Select a valid choice"),
        ({"purposes": []}, "purposes", "required"),
        ({"state": "withdrawn"}, "state", "Select a valid choice"),
        ({"document_reference": ""}, "document_reference", "required"),
        ({"community": 987654}, "community", "Select a valid choice"),
    ],
)
def test_a_bad_consent_is_refused_beside_the_field_and_nothing_is_written(
    steward: Client, community: Community, changed: dict, field: str, message: str
) -> None:
    response = steward.post(
        reverse("admin:ethics_consent_add"), consent_form(make_item(community=community), **changed)
    )
    assert message in " ".join(response.context["adminform"].form.errors[field])
    assert not Consent.objects.exists()
    assert events("consent.recorded") == []


def test_a_consent_names_only_items_of_its_own_community(officer: Client) -> None:
    response = officer.post(
        reverse("admin:ethics_consent_add"), consent_form(make_item(), community=make_community().pk)
    )
    assert "must belong to the consenting community" in response.content.decode()
    assert not Consent.objects.exists()


def test_a_consent_is_withdrawn_with_a_reason_and_not_edited(steward: Client, community: Community) -> None:
    item = make_item(community=community)
    consent = make_consent(item)
    version = make_model_version(trained_on=[item.public_id])
    page = reverse("admin:ethics_consent_withdraw", args=[consent.pk])
    assert steward.post(page, {"reason": " "}).status_code == 422
    assert steward.post(page, {"reason": "asked by the council"}).status_code == 302
    consent.refresh_from_db()
    assert consent.state == "withdrawn"
    assert [event.reason for event in events("consent.withdrawn")] == ["asked by the council"]
    assert ModelVersion.objects.get(pk=version.pk).marked_at is not None
    change = steward.post(reverse("admin:ethics_consent_change", args=[consent.pk]), {"state": "granted"})
    assert change.status_code == 403


def test_a_status_is_raised_and_never_lowered(steward: Client, community: Community) -> None:
    item = make_item(community=community, display_label="a name to protect")
    page = reverse("admin:ethics_governeditem_raise_status", args=[item.pk])
    assert (
        steward.post(page, {"status": "sacred", "protected_names": "another name", "reason": "asked"}).status_code
        == 302
    )
    item.refresh_from_db()
    assert item.sacred_status == SacredStatus.SACRED.value
    assert item.protected_names == ["a name to protect", "another name"]
    lowered = steward.post(page, {"status": "none", "protected_names": "", "reason": "asked"})
    assert lowered.status_code == 422
    assert "can only be raised" in lowered.content.decode()


def test_an_objection_needs_reference_and_reason(steward: Client, community: Community) -> None:
    item = make_item(community=community)
    page = reverse("admin:ethics_governeditem_record_objection", args=[item.pk])
    assert steward.post(page, {"reference": "letter", "reason": ""}).status_code == 422
    assert steward.post(page, {"reference": "letter", "reason": "the council objects"}).status_code == 302
    assert not GovernedItem.objects.permitted_for(Purpose.CURATION, Audience.PLATFORM).filter(pk=item.pk).exists()


def test_a_sacred_item_is_recorded_without_detail(officer: Client) -> None:
    community = make_community()
    form = {
        "community": community.pk, "sacred_status": "sacred", "basis": "none", "basis_source": "",
        "protected_names": "first name\nsecond, with a comma", "change_reason": "synthetic reason",
    }  # fmt: skip
    page = reverse("admin:ethics_governeditem_add")
    refused = officer.post(page, {**form, "display_label": "a description"})
    assert "nothing else" in " ".join(refused.context["adminform"].form.errors["display_label"])
    assert officer.post(page, {**form, "display_label": ""}).status_code == 302
    assert GovernedItem.objects.get().protected_names == ["first name", "second, with a comma"]
    assert [event.community_ids for event in events("curation.changed")] == [[community.slug]]


def test_a_secret_label_takes_an_item_out_of_use_and_marks_the_models(steward: Client, community: Community) -> None:
    item, label = make_item(community=community), make_label(LabelRule.SECRET)
    version = make_model_version(trained_on=[item.public_id])
    page = reverse("admin:ethics_governeditem_change", args=[item.pk])
    data = form_data(steward.get(page))
    data |= {"item_labels-TOTAL_FORMS": 1, "item_labels-0-label": label.pk, "item_labels-0-community_text": ""}
    assert steward.post(page, data).status_code == 302
    assert item.item_labels.get().label == label
    assert ModelVersion.objects.get(pk=version.pk).marked_at is not None
    assert events("curation.changed")[0].details["model"] == "ethics.itemlabel"


def test_a_statement_is_changed_with_an_event_that_names_the_field(officer: Client) -> None:
    community = make_community()
    page = reverse("admin:ethics_community_change", args=[community.pk])
    officer.post(page, form_data(officer.get(page)) | {"statement": "a new statement"})
    assert Community.objects.get(pk=community.pk).statement == "a new statement"
    (event,) = events("curation.changed")
    assert event.details == {"model": "ethics.community", "action": "changed", "fields": ["statement"]}
    history = officer.get(reverse("admin:ethics_community_history", args=[community.pk])).content.decode()
    assert "a new statement" in history
    assert "curation.changed" in history


def test_saving_an_unchanged_form_writes_no_event(officer: Client) -> None:
    page = reverse("admin:ethics_community_change", args=[make_community().pk])
    assert officer.post(page, form_data(officer.get(page))).status_code == 302
    assert events("curation.changed") == []


def test_a_key_is_shown_once_and_only_its_hash_is_kept(officer: Client) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    api_client = ApiClient.objects.get()
    response = officer.post(
        reverse("admin:ethics_apikey_add"), {"client": api_client.pk, "name": "till", "scopes": ["catalogue"]}
    )
    text = response.context["key_text"]
    assert "no-store" in response.headers["Cache-Control"]
    assert ApiKey.objects.get(client=api_client).pk == ApiKey.objects.get_from_key(text).pk
    assert text not in str(ApiKey.objects.values_list().get())
    key_page = officer.get(reverse("admin:ethics_apikey_change", args=[ApiKey.objects.get().pk])).content.decode()
    assert text not in key_page
    assert [len(events(kind)) for kind in ("client.created", "api_key.created")] == [1, 1]


def test_a_key_is_revoked_by_a_confirmed_post(officer: Client) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    form = {"client": ApiClient.objects.get().pk, "name": "till", "scopes": ["catalogue"]}
    officer.post(reverse("admin:ethics_apikey_add"), form)
    page = reverse("admin:ethics_apikey_revoke", args=[ApiKey.objects.get().pk])
    assert officer.get(page).status_code == 200
    assert ApiKey.objects.get().revoked is False
    officer.post(page)
    assert ApiKey.objects.get().revoked is True
    assert len(events("api_key.revoked")) == 1


def test_a_client_changes_its_audience_with_an_event(officer: Client) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    page = reverse("admin:ethics_apiclient_change", args=[ApiClient.objects.get().pk])
    officer.post(page, form_data(officer.get(page)) | {"audience": "commercial"})
    assert ApiClient.objects.get().audience == "commercial"
    assert events("client.updated")[0].details == {"audience": "commercial", "is_active": True}


def test_a_key_that_would_have_expired_is_refused(officer: Client) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    form = {
        "client": ApiClient.objects.get().pk, "name": "old", "scopes": ["catalogue"],
        "expiry_date_0": "2020-01-01", "expiry_date_1": "00:00",
    }  # fmt: skip
    response = officer.post(reverse("admin:ethics_apikey_add"), form)
    assert "expired already" in " ".join(response.context["adminform"].form.errors["expiry_date"])
    assert not ApiKey.objects.exists()


def _key_form(**fields: object) -> dict[str, object]:
    return {"client": ApiClient.objects.get().pk, "name": "till", "scopes": ["catalogue"], **fields}


def test_a_key_takes_its_scopes_networks_and_limits_from_the_form(officer: Client) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    form = _key_form(allowed_networks="192.0.2.0/24\n2001:db8::/32", requests_per_minute=5)
    officer.post(reverse("admin:ethics_apikey_add"), form)
    key = ApiKey.objects.get()
    assert (key.scopes, key.allowed_networks) == (["catalogue"], ["192.0.2.0/24", "2001:db8::/32"])
    assert (key.requests_per_minute, key.requests_per_day) == (5, None)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"allowed_networks": "192.0.2.1/24"}, "allowed_networks"),
        ({"allowed_networks": "here"}, "allowed_networks"),
    ],
)
def test_a_bad_key_is_refused_at_its_field(officer: Client, fields: dict[str, object], field: str) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    response = officer.post(reverse("admin:ethics_apikey_add"), _key_form(**fields))
    assert field in response.context["adminform"].form.errors
    assert not ApiKey.objects.exists()


def test_a_key_is_rotated_and_its_successor_shown_once(officer: Client) -> None:
    officer.post(reverse("admin:ethics_apiclient_add"), {"organisation": "Synthetic", "audience": "research"})
    officer.post(reverse("admin:ethics_apikey_add"), _key_form())
    old = ApiKey.objects.get()
    page = reverse("admin:ethics_apikey_rotate", args=[old.pk])
    assert officer.get(page).status_code == 200
    response = officer.post(page, {"overlap_hours": 2})
    assert ApiKey.objects.get_from_key(response.context["key_text"]).replaces == old
    again = officer.post(page, {"overlap_hours": 2})
    assert again.status_code == 422
    assert "rotated before" in again.content.decode()
