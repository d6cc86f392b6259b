"""The services over governed items, attribution, clients and keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from ethics.attribution import attribution_for
from ethics.clients import api_key_create, api_key_revoke, client_create, client_update
from ethics.models import ApiClient, Attribution, AuditEvent, Community, GovernedItem, Label
from ethics.policy import Audience, Basis, LabelRule, Purpose, SacredStatus
from ethics.records import governance_record_save
from ethics.stewardship import item_create, item_record_objection, item_set_status
from tests.admin_people import make_consent, make_label
from tests.factories import make_community, make_item, make_model_version

pytestmark = pytest.mark.django_db
NONE, RESTRICTED, SACRED = SacredStatus.NONE, SacredStatus.RESTRICTED, SacredStatus.SACRED


def test_a_sacred_item_keeps_only_community_status_and_protected_names() -> None:
    item = make_item(display_label="a name", basis_source="a book")
    item_set_status(item=item, status=SACRED, protected_names=["another name"])
    item.refresh_from_db()
    assert (item.display_label, item.basis, item.basis_source) == ("", "none", "")
    assert item.protected_names == ["a name", "another name"]


def test_a_change_of_status_is_in_the_log_without_any_name() -> None:
    item = make_item(display_label="a secret name")
    item_set_status(item=item, status=SACRED, protected_names=["another secret name"])
    event = AuditEvent.objects.get(event_type="item.status_changed")
    assert event.details == {"from": "none", "to": "sacred"}
    assert not AuditEvent.objects.filter(canonical__contains="secret name").exists()


@pytest.mark.parametrize(("before", "after"), [(SACRED, RESTRICTED), (SACRED, NONE), (RESTRICTED, NONE)])
def test_a_status_is_never_lowered(before: SacredStatus, after: SacredStatus) -> None:
    item = make_item()
    item_set_status(item=item, status=before)
    events = AuditEvent.objects.count()
    with pytest.raises(ValidationError) as raised:
        item_set_status(item=item, status=after)
    assert list(raised.value.message_dict) == ["sacred_status"]
    item.refresh_from_db()
    assert item.sacred_status == before
    assert AuditEvent.objects.count() == events


def test_adding_a_protected_name_to_a_status_marks_no_model() -> None:
    item = make_item()
    version = make_model_version(state="candidate", trained_on=[item.public_id])
    item_set_status(item=item, status=NONE, protected_names=["a name"])
    version.refresh_from_db()
    assert version.marked_at is None


@pytest.mark.parametrize(
    "detail",
    [
        {"display_label": "a name"},
        {"basis": Basis.DOCUMENTED, "basis_source": "a book"},
        {"basis_source": "a book"},
        {"statement": "a statement"},
        {"credited_name": "a person"},
    ],
    ids="+".join,
)
def test_a_sacred_item_is_not_created_with_a_detail(detail: dict[str, Any]) -> None:
    fields = {"community": make_community(), "display_label": "", "sacred_status": SACRED}
    with pytest.raises(ValidationError) as raised:
        item_create(**{**fields, **detail})
    assert set(raised.value.message_dict) == set(detail)
    assert not GovernedItem.objects.exists()


@pytest.mark.parametrize(
    ("reference", "reason", "fields"),
    [("", "a reason", ["reference"]), ("a letter", " ", ["reason"]), (" ", "", ["reference", "reason"])],
)
def test_an_objection_needs_a_reference_and_a_reason(reference: str, reason: str, fields: list[str]) -> None:
    item = make_item()
    with pytest.raises(ValidationError) as raised:
        item_record_objection(item=item, reference=reference, reason=reason)
    assert list(raised.value.message_dict) == fields
    item.refresh_from_db()
    assert item.objection_at is None


def test_an_objection_ends_every_use_and_marks_the_models() -> None:
    item = make_item()
    version = make_model_version(state="candidate", trained_on=[item.public_id])
    item_record_objection(item=item, reference="a letter", reason="a reason")
    version.refresh_from_db()
    assert version.marked_at is not None
    for purpose in Purpose:
        for audience in Audience:
            assert not GovernedItem.objects.permitted_for(purpose, audience).exists()


def test_a_label_whose_rule_becomes_secret_marks_the_models_of_its_items() -> None:
    item, label = make_item(), make_label()
    item.item_labels.create(label=label)
    version = make_model_version(state="candidate", trained_on=[item.public_id])
    label.rule = LabelRule.SECRET.value
    governance_record_save(instance=label, changed_fields=["rule"], created=False)
    version.refresh_from_db()
    assert version.marked_at is not None


RAW_ITEMS: dict[str, dict[str, Any]] = {
    "item_sacred_status_is_known": {"sacred_status": "holy"},
    "item_basis_is_known": {"basis": "hearsay"},
    "item_documented_basis_names_source": {"basis": "documented", "basis_source": ""},
    "item_sacred_holds_no_detail": {"sacred_status": "sacred", "display_label": "a name"},
}


@pytest.mark.parametrize("constraint", RAW_ITEMS)
def test_the_database_refuses_a_bad_item_by_itself(constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        GovernedItem.objects.create(community=make_community(), **RAW_ITEMS[constraint])


def test_the_database_refuses_a_nameless_community_an_empty_statement_and_an_unknown_rule() -> None:
    item = make_item(statement="")
    for constraint, model, fields in (
        ("community_has_name", Community, {"slug": "a", "name": ""}),
        ("attribution_has_statement", Attribution, {"item": item, "statement": ""}),
        ("label_rule_is_known", Label, {"code": "a", "rule": "maybe"}),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            model.objects.create(**fields)


def _attribution(item: GovernedItem, audience: Audience = Audience.RESEARCH):
    read = GovernedItem.objects.with_policy_facts().get(pk=item.pk)
    return attribution_for(read, Purpose.PREDICTION, audience, timezone.now())


def test_an_attribution_names_community_statement_labels_and_source() -> None:
    item = make_item(basis_source="a book", statement="a statement", credited_name="a person")
    label = make_label()
    entry = item.item_labels.create(label=label, community_text="in the community's words")
    attribution = _attribution(item)
    assert attribution == {
        "community": {"slug": item.community.slug, "name": item.community.name},
        "statement": "a statement",
        "credited_name": "a person",
        "labels": [
            {
                "code": label.code,
                "name": label.name,
                "meaning": "in the community's words",
                "source": "https://example.org/label",
                "version": str(entry.version),
            }
        ],
        "basis": {"kind": "documented_and_published", "source": "a book", "consent_reference": ""},
    }


def test_an_attribution_names_the_consent_that_the_use_rests_on() -> None:
    item = make_item(basis=Basis.CONSENT, basis_source="")
    consent = make_consent(item)
    attribution = _attribution(item)
    assert attribution is not None
    assert attribution["basis"] == {"kind": "consent", "source": "", "consent_reference": str(consent.public_id)}


def test_there_is_no_attribution_where_the_use_is_refused() -> None:
    item = make_item(basis=Basis.CONSENT, basis_source="")
    make_consent(item)
    assert _attribution(item, Audience.COMMERCIAL) is None


def _status_with(key: str) -> int:
    return APIClient().get("/api/v1/targets/", headers={"Authorization": f"Api-Key {key}"}).status_code


def test_a_key_opens_the_api_until_it_is_revoked() -> None:
    key, text = api_key_create(client=client_create(organisation="a", audience=Audience.RESEARCH), name="k")
    assert _status_with(text) == 200
    api_key_revoke(key=key)
    assert _status_with(text) == 401


def test_a_key_of_an_inactive_client_opens_nothing() -> None:
    client = client_create(organisation="a", audience=Audience.RESEARCH)
    _, text = api_key_create(client=client, name="k")
    client_update(client=client, organisation="a", audience=Audience.RESEARCH, is_active=False)
    assert _status_with(text) == 401


def test_an_expired_key_opens_nothing() -> None:
    client = client_create(organisation="a", audience=Audience.RESEARCH)
    _, text = api_key_create(client=client, name="k", expires_at=timezone.now() - timedelta(seconds=1))
    assert _status_with(text) == 401


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"organisation": "taken", "audience": Audience.RESEARCH}, "organisation"),
        ({"organisation": "  ", "audience": Audience.RESEARCH}, "organisation"),
        ({"organisation": "a", "audience": Audience.PLATFORM}, "audience"),
    ],
)
def test_a_bad_client_is_refused_at_its_field(fields: dict[str, Any], field: str) -> None:
    client_create(organisation="taken", audience=Audience.RESEARCH)
    with pytest.raises(ValidationError) as raised:
        client_create(**fields)
    assert field in raised.value.message_dict
    assert (ApiClient.objects.count(), AuditEvent.objects.count()) == (1, 1)


def test_no_event_of_a_client_or_key_holds_the_key() -> None:
    client = client_create(organisation="a", audience=Audience.RESEARCH)
    key, text = api_key_create(client=client, name="k")
    api_key_revoke(key=key)
    client_update(client=client, organisation="b", audience=Audience.COMMERCIAL, is_active=True)
    events = AuditEvent.objects.order_by("id")
    assert [event.event_type for event in events] == [
        "client.created", "api_key.created", "api_key.revoked", "client.updated",
    ]  # fmt: skip
    assert all(text not in event.canonical for event in events)
