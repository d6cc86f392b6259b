"""A steward sees and decides over the communities they were appointed for; others' records do not exist for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from ethics.acting import acting_as
from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, visible_items
from ethics.community_stewards import steward_appoint, steward_dismiss
from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, Community, CommunitySteward, Consent, GovernedItem
from ethics.policy import Audience, ConsentState, Purpose, SacredStatus
from ethics.records import governance_record_delete, governance_record_save, governed_item_add
from ethics.status_lowering import status_lowering_confirm, status_lowering_propose, status_lowering_reject
from ethics.stewardship import item_record_objection, item_set_status
from tests.admin_people import (
    make_consent,
    make_label,
    make_lowering_request,
    make_person,
    make_receipt,
    make_withdrawal_case,
)
from tests.factories import make_practice

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> GovernedItem:
    return make_practice().item


@pytest.fixture
def foreign() -> GovernedItem:
    return make_practice().item


@pytest.fixture
def steward(own, foreign):
    return make_person(COMMUNITY_STEWARD, communities=[own.community])


def records_of(item: GovernedItem) -> list:
    """One record of each kind that hangs on an item or its community."""
    consent, case = make_consent(item), make_withdrawal_case(item)
    item.item_labels.create(label=make_label())
    return [
        item, item.community, item.practice, item.attribution, item.item_labels.get(), consent, consent.consent_items.get(),
        case, case.steps.get(), make_receipt(case), make_lowering_request(item),
    ]  # fmt: skip


def statuses(client, records: list, *pages: str) -> dict[str, int]:
    found = {}
    for record in records:
        name = f"{record._meta.app_label}_{record._meta.model_name}"
        for page in pages:
            found[f"{name}_{page}"] = client.get(reverse(f"admin:{name}_{page}", args=[record.pk])).status_code
    return found


def test_the_records_of_the_own_community_open_and_those_of_others_are_absent(steward, own, foreign, client):
    own_records, foreign_records = records_of(own), records_of(foreign)
    client.force_login(steward)

    opened = statuses(client, own_records, "change", "history")
    assert {page for page, status in opened.items() if status != 200} == set()
    hidden = statuses(client, foreign_records, "change", "history")
    absent = {page: client.get(_absent(page)).status_code for page in hidden}
    assert hidden == absent


def _absent(page: str) -> str:
    return reverse(f"admin:{page}", args=[10**9])


@pytest.mark.parametrize(
    "page",
    ["governeditem_why", "governeditem_raise_status", "governeditem_lower_status", "governeditem_record_objection"],
)
def test_buttons_of_other_communities_items_answer_404(page, steward, own, foreign, client):
    client.force_login(steward)

    found = [client.get(reverse(f"admin:ethics_{page}", args=[item.pk])).status_code for item in (own, foreign)]
    assert found == [200, 404]


def test_statements_and_receipts_of_other_communities_answer_404(steward, own, foreign, client):
    client.force_login(steward)
    for item, expected in ((own, 200), (foreign, 404)):
        case = make_withdrawal_case(item)
        receipt = make_receipt(case)
        addresses = [
            reverse("community-statement", args=[item.community.slug]),
            reverse("admin:ethics_withdrawalcase_receipt", args=[case.pk]),
            reverse("admin:ethics_withdrawalcase_receipt_json", args=[case.pk]),
            reverse("admin:ethics_withdrawalreceipt_document", args=[receipt.pk]),
        ]
        assert [client.get(address).status_code for address in addresses] == [expected] * 4


def test_no_list_filter_or_choice_names_another_community(steward, own, foreign, client):
    Community.objects.filter(pk=foreign.community_id).update(name="canary-other-community")
    records_of(own), records_of(foreign)
    client.force_login(steward)
    addresses = [
        *(reverse(f"admin:ethics_{model}_changelist") for model in (
            "community", "governeditem", "attribution", "itemlabel", "consent", "consentitem", "withdrawalcase",
            "withdrawalstep", "withdrawalreceipt", "statusloweringrequest", "communitysteward",
        )),
        reverse("admin:correlations_practice_changelist"),
        reverse("admin:ethics_consent_add"),
        reverse("admin:ethics_governeditem_add"),
        reverse("community-statements"),
        f"{reverse('admin:search')}?s=canary",
        f"{reverse('admin:autocomplete')}?app_label=ethics&model_name=consent&field_name=community&term=canary",
        f"{reverse('admin:autocomplete')}?app_label=ethics&model_name=consent&field_name=items&term=Item",
    ]  # fmt: skip

    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        text = response.content.decode()
        assert "canary-other-community" not in text, address
        assert foreign.display_label not in text, address


def test_a_form_refuses_another_community_as_a_value(steward, own, foreign, client):
    client.force_login(steward)
    response = client.post(
        reverse("admin:ethics_consent_add"),
        {
            "community": foreign.community_id, "scope": "community", "state": "denied", "purposes": ["display"],
            "audiences": ["research"], "valid_from_0": "2026-01-01", "valid_from_1": "00:00:00",
            "document_reference": "letter",
        },
    )  # fmt: skip

    assert response.status_code == 200
    assert "community" in response.context["adminform"].form.errors
    assert not Consent.objects.exists()


def decide_over(item: GovernedItem) -> list:
    """Every service by which a steward decides, over an item."""
    consent = make_consent(item)
    proposal = make_lowering_request(item)
    label = make_label()
    community = item.community
    return [
        lambda: consent_record(
            community=community, items=[item], purposes=[Purpose.DISPLAY], audiences=[Audience.RESEARCH],
            state=ConsentState.DENIED, valid_from=datetime(2026, 1, 1, tzinfo=UTC), document_reference="letter",
            recorded_by="steward",
        ),
        lambda: consent_withdraw(consent=consent, reason="reason"),
        lambda: item_set_status(item=item, status=SacredStatus.RESTRICTED),
        lambda: item_record_objection(item=item, reference="letter", reason="reason"),
        lambda: status_lowering_propose(item=item, to_status=SacredStatus.NONE, reason="reason", proposed_by="steward"),
        lambda: status_lowering_confirm(request=proposal, decided_by="steward"),
        lambda: status_lowering_reject(request=proposal, decided_by="steward", reason="reason"),
        lambda: governed_item_add(community=community, display_label="new"),
        lambda: governance_record_save(instance=community, changed_fields=["statement"], created=False),
        lambda: governance_record_save(instance=item.attribution, changed_fields=["statement"], created=False),
        lambda: governance_record_save(
            instance=item.item_labels.model(item=item, label=label), changed_fields=[], created=True
        ),
        lambda: governance_record_delete(instance=item.attribution),
    ]  # fmt: skip


def test_no_service_lets_a_steward_decide_over_another_community(steward, own, foreign):
    decisions = decide_over(foreign)
    before = AuditEvent.objects.count()

    for decide in decisions:
        with pytest.raises(PermissionDenied), acting_as(steward):
            decide()

    assert AuditEvent.objects.count() == before


def test_the_services_serve_a_steward_over_the_own_community(steward, own):
    with acting_as(steward):
        item_record_objection(item=own, reference="letter", reason="reason")
        governed_item_add(community=own.community, display_label="new")

    assert AuditEvent.objects.filter(event_type="item.objected").count() == 1


def test_officers_answer_for_all_communities(own, foreign):
    officer = make_person(COMPLIANCE_OFFICER)

    with acting_as(officer):
        item_record_objection(item=foreign, reference="letter", reason="reason")

    assert set(visible_items(officer)) == {own, foreign}


def test_a_steward_without_an_appointment_sees_nothing(own):
    person = make_person(COMMUNITY_STEWARD, communities=[])

    assert list(visible_items(person)) == []


def test_appointments_are_recorded_and_end_at_once(own, foreign, steward):
    appointed = steward_appoint(user=steward, community=foreign.community, appointed_by="an officer")
    assert set(visible_items(steward)) == {own, foreign}

    steward_dismiss(steward=appointed)

    assert set(visible_items(steward)) == {own}
    events = AuditEvent.objects.filter(event_type__startswith="steward.", community_ids=[foreign.community.slug])
    assert sorted(events.values_list("event_type", flat=True)) == ["steward.appointed", "steward.dismissed"]


def test_only_somebody_with_the_role_is_appointed_and_only_once(own, steward):
    with pytest.raises(ValidationError) as refused:
        steward_appoint(user=make_person(CURATOR), community=own.community, appointed_by="an officer")
    assert "user" in refused.value.message_dict
    with pytest.raises(ValidationError):
        steward_appoint(user=steward, community=own.community, appointed_by="an officer")


@pytest.mark.parametrize("fields", [{}, {"appointed_by": ""}])
def test_the_database_holds_an_appointment_to_its_rules(fields, own, foreign, steward):
    """The same one twice, and one by nobody."""
    community = foreign.community if fields else own.community
    with pytest.raises(IntegrityError), transaction.atomic():
        CommunitySteward.objects.create(**{"user": steward, "community": community, "appointed_by": "x", **fields})


def test_an_officer_appoints_and_dismisses_in_the_admin(own, foreign, steward, client):
    client.force_login(make_person(COMPLIANCE_OFFICER))
    add = reverse("admin:ethics_communitysteward_add")

    assert client.post(add, {"user": steward.pk, "community": foreign.community_id}).status_code == 302
    row = CommunitySteward.objects.get(community=foreign.community)
    assert row.appointed_by.startswith(COMPLIANCE_OFFICER.replace(" ", "-"))
    client.post(reverse("admin:ethics_communitysteward_delete", args=[row.pk]), {"post": "yes"})

    assert list(steward.stewardships.values_list("community", flat=True)) == [own.community_id]
