"""Lowering a sacred status takes two people, both in the log; nobody can be both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR
from ethics.models import AuditEvent, GovernedItem, StatusLoweringRequest
from ethics.policy import Audience, Purpose, SacredStatus
from ethics.status_lowering import status_lowering_confirm, status_lowering_propose, status_lowering_reject
from ethics.stewardship import item_set_status
from tests.admin_people import make_person, make_sacred
from tests.factories import make_item

pytestmark = pytest.mark.django_db
NONE, RESTRICTED, SACRED = SacredStatus.NONE, SacredStatus.RESTRICTED, SacredStatus.SACRED


@pytest.fixture
def item() -> GovernedItem:
    return make_item(sacred_status=RESTRICTED)


def propose(item: GovernedItem, **changes: Any) -> StatusLoweringRequest:
    return status_lowering_propose(
        **{"item": item, "to_status": NONE, "reason": "asked by the council", "proposed_by": "maker", **changes}
    )


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("event_type", flat=True))


def test_a_proposal_changes_nothing_but_the_log(item: GovernedItem) -> None:
    request = propose(item)
    item.refresh_from_db()
    assert item.sacred_status == RESTRICTED
    event = AuditEvent.objects.get()
    assert (event.event_type, event.reason) == ("item.lowering_proposed", "asked by the council")
    assert event.subject_ids == [str(item.public_id), str(request.public_id)]


def test_another_person_confirms_and_the_status_is_lower(item: GovernedItem) -> None:
    status_lowering_confirm(request=propose(item), decided_by="checker")
    item.refresh_from_db()
    assert item.sacred_status == NONE
    assert GovernedItem.objects.permitted_for(Purpose.DISPLAY, Audience.RESEARCH).filter(pk=item.pk).exists()
    assert events() == ["item.lowering_proposed", "item.lowering_confirmed", "item.status_changed"]


def test_another_person_rejects_with_a_reason_and_the_status_stays(item: GovernedItem) -> None:
    status_lowering_reject(request=propose(item), decided_by="checker", reason="not agreed")
    item.refresh_from_db()
    assert item.sacred_status == RESTRICTED
    assert events() == ["item.lowering_proposed", "item.lowering_rejected"]
    assert propose(item).state == "open"


def test_a_sacred_item_comes_back_without_detail_and_with_its_protected_names() -> None:
    sacred = make_sacred("a protected name")
    status_lowering_confirm(request=propose(sacred, to_status=RESTRICTED), decided_by="checker")
    sacred.refresh_from_db()
    assert (sacred.sacred_status, sacred.display_label, sacred.basis) == ("restricted", "", "none")
    assert sacred.protected_names == ["a protected name"]


@pytest.mark.parametrize("decide", ["confirm", "reject"])
@pytest.mark.parametrize("person", ["maker", ""])
def test_the_maker_or_nobody_decides_on_nothing(decide: str, person: str, item: GovernedItem) -> None:
    request = propose(item)
    with pytest.raises(ValidationError) as raised:
        if decide == "confirm":
            status_lowering_confirm(request=request, decided_by=person)
        else:
            status_lowering_reject(request=request, decided_by=person, reason="not agreed")
    assert list(raised.value.message_dict) == ["decided_by"]
    request.refresh_from_db()
    assert (request.state, events()) == ("open", ["item.lowering_proposed"])


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no reason": ({"reason": "  "}, "reason"),
    "a reason that is too long": ({"reason": "x" * 301}, "reason"),
    "nobody who proposes": ({"proposed_by": ""}, "proposed_by"),
    "the same status": ({"to_status": RESTRICTED}, "to_status"),
    "a higher status": ({"to_status": SACRED}, "to_status"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_proposal_is_refused_at_its_field(case: str, item: GovernedItem) -> None:
    changes, field = BAD[case]
    with pytest.raises(ValidationError) as raised:
        propose(item, **changes)
    assert list(raised.value.message_dict) == [field]
    assert not StatusLoweringRequest.objects.exists()
    assert not AuditEvent.objects.exists()


def test_one_proposal_an_item_is_open(item: GovernedItem) -> None:
    propose(item)
    with pytest.raises(ValidationError, match="waits for its decision"):
        propose(item, proposed_by="another maker")


def test_a_proposal_is_decided_once(item: GovernedItem) -> None:
    request = propose(item)
    status_lowering_reject(request=request, decided_by="checker", reason="not agreed")
    with pytest.raises(ValidationError, match="rejected already"):
        status_lowering_confirm(request=request, decided_by="another checker")


def test_a_status_raised_meanwhile_is_not_lowered_by_an_older_proposal(item: GovernedItem) -> None:
    request = propose(item)
    item_set_status(item=item, status=SACRED)
    with pytest.raises(ValidationError, match="make a new one"):
        status_lowering_confirm(request=request, decided_by="checker")
    item.refresh_from_db()
    assert item.sacred_status == SACRED


DECIDED = {"state": "confirmed", "decided_by": "checker", "decided_at": datetime(2026, 1, 2, tzinfo=UTC)}
RAW: dict[str, dict[str, Any]] = {
    "lowering_goes_down": {"to_status": "sacred"},
    "lowering_has_maker_and_reason": {"reason": ""},
    "lowering_checker_is_not_the_maker": {**DECIDED, "decided_by": "maker"},
    "lowering_is_decided_by_somebody": {**DECIDED, "decided_by": ""},
}


@pytest.mark.parametrize("constraint", RAW)
def test_the_database_refuses_a_bad_request_by_itself(constraint: str, item: GovernedItem) -> None:
    fields = {
        "item": item, "from_status": "restricted", "to_status": "none", "reason": "r", "proposed_by": "maker",
        "proposed_at": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        StatusLoweringRequest.objects.create(**{**fields, **RAW[constraint]})


def test_the_database_keeps_one_open_request_an_item(item: GovernedItem) -> None:
    request = propose(item)
    request.pk = None
    request.public_id = item.public_id
    with pytest.raises(IntegrityError, match="lowering_once_open_an_item"), transaction.atomic():
        request.save(force_insert=True)


def test_a_steward_proposes_and_an_officer_confirms_in_the_admin(item: GovernedItem, client: Client) -> None:
    steward, officer = make_person(COMMUNITY_STEWARD, "steward"), make_person(COMPLIANCE_OFFICER, "officer")
    client.force_login(steward)
    page = reverse("admin:ethics_governeditem_lower_status", args=[item.pk])
    assert client.post(page, {"to_status": "none", "reason": ""}).status_code == 422
    assert client.post(page, {"to_status": "none", "reason": "asked by the council"}).status_code == 302
    request = StatusLoweringRequest.objects.get()
    confirm = reverse("admin:ethics_statusloweringrequest_confirm", args=[request.pk])
    own = client.post(confirm)
    assert own.status_code == 422
    assert "Another person" in own.content.decode()

    client.force_login(officer)
    assert "asked by the council" in client.get(confirm).content.decode()
    assert client.post(confirm).status_code == 302
    item.refresh_from_db()
    request.refresh_from_db()
    assert (item.sacred_status, request.proposed_by, request.decided_by) == ("none", "steward", "officer")
    actors = dict(AuditEvent.objects.values_list("event_type", "actor__name"))
    assert (actors["item.lowering_proposed"], actors["item.lowering_confirmed"]) == ("steward", "officer")


def test_an_officer_rejects_in_the_admin_with_a_reason(item: GovernedItem, client: Client) -> None:
    request = propose(item)
    client.force_login(make_person(COMPLIANCE_OFFICER))
    page = reverse("admin:ethics_statusloweringrequest_reject", args=[request.pk])
    assert client.post(page, {"reason": ""}).status_code == 422
    assert client.post(page, {"reason": "not agreed"}).status_code == 302
    request.refresh_from_db()
    assert (request.state, request.decision_reason) == ("rejected", "not agreed")


def test_a_curator_neither_proposes_nor_decides(item: GovernedItem, client: Client) -> None:
    request = propose(item)
    client.force_login(make_person(CURATOR))
    assert client.get(reverse("admin:ethics_governeditem_lower_status", args=[item.pk])).status_code == 403
    for page in ("confirm", "reject"):
        assert client.post(reverse(f"admin:ethics_statusloweringrequest_{page}", args=[request.pk])).status_code == 403
