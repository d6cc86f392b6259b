"""Consents that cannot stand side by side are refused beside the field, with the name of the other; nothing is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from ethics.admin.visibility import COMMUNITY_STEWARD
from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, Consent, ConsentItem, GovernedItem, PolicyRevision
from ethics.policy import Audience, Basis, ConsentState, Purpose
from tests.admin_people import make_person
from tests.factories import make_item

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def item() -> GovernedItem:
    return make_item(basis=Basis.CONSENT, basis_source="")


def give(item: GovernedItem, state: ConsentState = ConsentState.GRANTED, **changes: Any) -> Consent:
    return consent_record(
        **{
            "community": item.community,
            "items": [item],
            "purposes": [Purpose.TRAINING, Purpose.PREDICTION],
            "audiences": [Audience.PLATFORM, Audience.RESEARCH],
            "state": state,
            "valid_from": START,
            "document_reference": "synthetic letter",
            "recorded_by": "a steward",
            **changes,
        }
    )


def refused(item: GovernedItem, state: ConsentState, **changes: Any) -> list[str]:
    """The messages at ``supersedes``, once it is certain that nothing was written."""
    before = (
        Consent.objects.count(),
        ConsentItem.objects.count(),
        AuditEvent.objects.count(),
        PolicyRevision.current(),
    )
    with pytest.raises(ValidationError) as raised:
        give(item, state, **changes)
    after = (Consent.objects.count(), ConsentItem.objects.count(), AuditEvent.objects.count(), PolicyRevision.current())
    assert after == before
    assert list(raised.value.message_dict) == ["supersedes"]
    return raised.value.message_dict["supersedes"]


@pytest.mark.parametrize(
    ("first", "second"),
    [(ConsentState.GRANTED, ConsentState.DENIED), (ConsentState.DENIED, ConsentState.GRANTED)],
)
def test_a_grant_and_a_denial_of_the_same_use_contradict_each_other(
    first: ConsentState, second: ConsentState, item: GovernedItem
) -> None:
    earlier = give(item, first, document_reference="minutes of March")
    (message,) = refused(item, second)
    assert str(earlier.public_id) in message
    assert f"the {first} consent 'minutes of March'" in message


@pytest.mark.parametrize("scope", ["the earlier", "the later", "both"])
def test_a_decision_on_all_items_contradicts_one_on_a_single_item(scope: str, item: GovernedItem) -> None:
    give(item, items=[item] if scope == "the later" else None)
    assert refused(item, ConsentState.DENIED, items=[item] if scope == "the earlier" else None)


def test_a_denial_holds_beyond_its_interval_and_contradicts_a_grant_after_it(item: GovernedItem) -> None:
    give(item, ConsentState.DENIED, valid_until=START + YEAR)
    assert refused(item, ConsentState.GRANTED, valid_from=START + 2 * YEAR)


def test_superseding_the_other_settles_a_contradiction(item: GovernedItem) -> None:
    denial = give(item, ConsentState.DENIED, supersedes=[give(item)])
    give(item, supersedes=[denial])
    assert Consent.objects.filter(superseded_by__isnull=True).get().state == "granted"


OTHER_USES: dict[str, dict[str, Any]] = {
    "another purpose": {"purposes": [Purpose.EXPORT]},
    "another audience": {"audiences": [Audience.COMMERCIAL]},
    "an undecided consent": {"state": ConsentState.PENDING},
}


@pytest.mark.parametrize("case", OTHER_USES)
def test_consents_that_share_no_use_stand_side_by_side(case: str, item: GovernedItem) -> None:
    give(item)
    give(item, **{"state": ConsentState.DENIED, **OTHER_USES[case]})
    assert Consent.objects.count() == 2


def test_another_item_is_another_matter(item: GovernedItem) -> None:
    give(item)
    give(make_item(community=item.community), ConsentState.DENIED)
    give(make_item(), ConsentState.DENIED, items=None)
    assert Consent.objects.count() == 3


INTERVALS = {
    "one within the other": (START + timedelta(days=1), START + timedelta(days=2)),
    "one that begins in the other": (START + timedelta(days=1), START + 2 * YEAR),
    "one that ends in the other": (START - YEAR, START + timedelta(days=1)),
    "the same start and a later end": (START, START + 2 * YEAR),
    "the same start without an end": (START, None),
    "one around the other": (START - YEAR, None),
}


@pytest.mark.parametrize("case", INTERVALS)
def test_two_grants_of_the_same_use_for_other_times_are_refused(case: str, item: GovernedItem) -> None:
    earlier = give(item, valid_until=START + YEAR)
    starts, ends = INTERVALS[case]
    (message,) = refused(item, ConsentState.GRANTED, valid_from=starts, valid_until=ends)
    assert str(earlier.public_id) in message
    assert "overlaps" in message


@pytest.mark.parametrize("starts", [START + YEAR, START - YEAR])
def test_grants_one_after_the_other_stand_side_by_side(starts: datetime, item: GovernedItem) -> None:
    give(item, valid_until=START + YEAR)
    give(item, valid_from=starts, valid_until=starts + YEAR)
    assert Consent.objects.count() == 2


def test_the_same_grant_in_two_documents_is_no_conflict(item: GovernedItem) -> None:
    give(item)
    give(item, items=None, document_reference="a second letter")
    assert Consent.objects.count() == 2


def test_every_consent_in_conflict_is_named(item: GovernedItem) -> None:
    consents = [give(item), give(item, document_reference="a second letter")]
    messages = refused(item, ConsentState.DENIED)
    assert [str(consent.public_id) in message for consent, message in zip(consents, messages, strict=True)] == [
        True,
        True,
    ]


def test_a_consent_withdrawn_after_it_was_read_cannot_be_superseded(item: GovernedItem) -> None:
    read_before = give(item)
    consent_withdraw(consent=Consent.objects.get(), reason="the community decided so")
    assert "withdrawn meanwhile" in refused(item, ConsentState.GRANTED, supersedes=[read_before])[0]


def test_a_withdrawal_of_a_consent_superseded_after_it_was_read_refuses_all_that_it_named(item: GovernedItem) -> None:
    read_before = give(item)
    give(item, purposes=list(Purpose), supersedes=[Consent.objects.get()])
    consent_withdraw(consent=read_before, reason="the community decided so")
    for purpose, open_ in ((Purpose.PREDICTION, False), (Purpose.CURATION, False), (Purpose.EXPORT, True)):
        permitted = GovernedItem.objects.permitted_for(purpose, Audience.RESEARCH)
        assert permitted.filter(pk=item.pk).exists() == open_, purpose


def test_the_admin_form_names_the_other_consent_beside_the_field(item: GovernedItem, client: Client) -> None:
    denial = give(item, ConsentState.DENIED)
    client.force_login(make_person(COMMUNITY_STEWARD))
    form: dict[str, object] = {
        "community": item.community.pk, "scope": "items", "items": [item.pk], "state": "granted",
        "purposes": ["training"], "audiences": ["platform"], "valid_from_0": "2026-01-01", "valid_from_1": "00:00:00",
        "valid_until_0": "", "valid_until_1": "", "document_reference": "synthetic letter", "document_sha256": "",
        "change_reason": "synthetic reason",
    }  # fmt: skip
    page = reverse("admin:ethics_consent_add")
    response = client.post(page, form)
    assert str(denial.public_id) in response.context["adminform"].form.errors["supersedes"][0]
    assert Consent.objects.count() == 1
    assert client.post(page, form | {"supersedes": [denial.pk]}).status_code == 302
