"""The consent services: what they write, what they refuse at which field, and what the database refuses by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from ethics.consent import consent_record, consent_withdraw, covered_items
from ethics.models import AuditEvent, Consent, ConsentItem, GovernedItem, PolicyRevision
from ethics.policy import Audience, Basis, ConsentState, Purpose
from tests.factories import make_community, make_item, make_model_version

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def item() -> GovernedItem:
    return make_item(basis=Basis.CONSENT, basis_source="")


def consent_fields(item: GovernedItem, **changes: Any) -> dict[str, Any]:
    return {
        "community": item.community,
        "items": [item],
        "purposes": [Purpose.TRAINING, Purpose.PREDICTION],
        "audiences": [Audience.PLATFORM, Audience.RESEARCH],
        "state": ConsentState.GRANTED,
        "valid_from": START,
        "document_reference": "synthetic letter",
        "recorded_by": "a steward",
        **changes,
    }


def give(item: GovernedItem, **changes: Any) -> Consent:
    return consent_record(**consent_fields(item, **changes))


def permits(item: GovernedItem, purpose: Purpose = Purpose.PREDICTION, audience: Audience = Audience.RESEARCH) -> bool:
    return GovernedItem.objects.permitted_for(purpose, audience).filter(pk=item.pk).exists()


def test_a_grant_opens_what_it_names_and_nothing_else(item: GovernedItem) -> None:
    assert not permits(item)
    give(item)
    assert permits(item)
    assert not permits(item, Purpose.EXPORT)
    assert not permits(item, audience=Audience.COMMERCIAL)


def test_a_grant_for_all_items_covers_items_added_later(item: GovernedItem) -> None:
    consent = give(item, items=None)
    later = make_item(community=item.community, basis=Basis.CONSENT, basis_source="")
    assert permits(later)
    assert set(covered_items(consent)) == {item.public_id, later.public_id}


def test_a_recorded_consent_has_its_event(item: GovernedItem) -> None:
    consent = give(item)
    event = AuditEvent.objects.get()
    assert (event.event_type, event.subject_ids) == ("consent.recorded", [str(consent.public_id)])
    assert event.details == {"state": "granted", "purposes": ["prediction", "training"]}
    assert event.community_ids == [item.community.slug]


BAD_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "no item": ({"items": []}, "items"),
    "no purpose": ({"purposes": []}, "purposes"),
    "an unknown purpose": ({"purposes": ["resale"]}, "purposes"),
    "an unknown purpose among known ones": ({"purposes": [Purpose.TRAINING, "resale"]}, "purposes"),
    "no audience": ({"audiences": []}, "audiences"),
    "an unknown audience": ({"audiences": ["everybody"]}, "audiences"),
    "an end before the start": ({"valid_until": START - timedelta(days=1)}, "valid_until"),
    "an end at the start": ({"valid_until": START}, "valid_until"),
    "a start without a time zone": ({"valid_from": datetime(2026, 1, 1)}, "valid_from"),
    "an end without a time zone": ({"valid_until": datetime(2027, 1, 1)}, "valid_until"),
    "no document": ({"document_reference": ""}, "document_reference"),
    "a blank document": ({"document_reference": "  "}, "document_reference"),
    "a document reference that is too long": ({"document_reference": "x" * 301}, "document_reference"),
    "a hash that is no SHA-256": ({"document_sha256": "abc"}, "document_sha256"),
    "nobody who recorded it": ({"recorded_by": ""}, "recorded_by"),
    "the state 'withdrawn'": ({"state": ConsentState.WITHDRAWN}, "state"),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_consent_with_a_bad_field_is_refused_at_that_field(case: str, item: GovernedItem) -> None:
    changes, field = BAD_FIELDS[case]
    revision = PolicyRevision.current()
    with pytest.raises(ValidationError) as raised:
        give(item, **changes)
    assert list(raised.value.message_dict) == [field]
    assert not Consent.objects.exists()
    assert not ConsentItem.objects.exists()
    assert not AuditEvent.objects.exists()
    assert PolicyRevision.current() == revision


def test_an_item_of_another_community_is_refused(item: GovernedItem) -> None:
    with pytest.raises(ValidationError) as raised:
        give(item, items=[item, make_item()])
    assert list(raised.value.message_dict) == ["items"]
    assert not Consent.objects.exists()


def test_a_withdrawal_closes_the_item_and_says_why_in_the_log(item: GovernedItem) -> None:
    consent = give(item)
    withdrawn = consent_withdraw(consent=consent, reason="  the community decided so ")
    assert not permits(item)
    assert withdrawn.withdrawn_at is not None
    event = AuditEvent.objects.get(event_type="consent.withdrawn")
    assert (event.reason, event.subject_ids) == ("the community decided so", [str(consent.public_id)])


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_withdrawal_needs_a_reason(reason: str, item: GovernedItem) -> None:
    consent = give(item)
    with pytest.raises(ValidationError) as raised:
        consent_withdraw(consent=consent, reason=reason)
    assert list(raised.value.message_dict) == ["reason"]
    assert permits(item)


@pytest.mark.parametrize("before", ["denied", "withdrawn"])
def test_a_consent_that_holds_no_more_cannot_be_withdrawn(before: str, item: GovernedItem) -> None:
    consent = give(item, state=ConsentState.DENIED if before == "denied" else ConsentState.GRANTED)
    if before == "withdrawn":
        consent_withdraw(consent=consent, reason="first")
    events = AuditEvent.objects.count()
    with pytest.raises(ValidationError) as raised:
        consent_withdraw(consent=consent, reason="second")
    assert list(raised.value.message_dict) == ["state"]
    assert AuditEvent.objects.count() == events


def test_a_pending_consent_can_be_withdrawn_and_then_refuses(item: GovernedItem) -> None:
    give(item)
    consent_withdraw(consent=give(item, state=ConsentState.PENDING), reason="no longer wanted")
    assert not permits(item)


def test_a_later_grant_does_not_undo_a_withdrawal(item: GovernedItem) -> None:
    consent_withdraw(consent=give(item), reason="the community decided so")
    give(item)
    assert not permits(item)


def test_a_later_grant_that_supersedes_a_withdrawal_opens_the_item_again(item: GovernedItem) -> None:
    withdrawn = consent_withdraw(consent=give(item), reason="the community decided so")
    consent = give(item, supersedes=[withdrawn])
    assert permits(item)
    event = AuditEvent.objects.filter(event_type="consent.recorded").latest("id")
    assert event.subject_ids == [str(consent.public_id), str(withdrawn.public_id)]


def test_a_superseded_consent_cannot_be_withdrawn_without_effect(item: GovernedItem) -> None:
    earlier = give(item)
    give(item, supersedes=[earlier])
    earlier.refresh_from_db()
    with pytest.raises(ValidationError, match="withdraw that one"):
        consent_withdraw(consent=earlier, reason="the community decided so")


def test_a_consent_of_another_community_is_not_superseded(item: GovernedItem) -> None:
    foreign = give(make_item())
    with pytest.raises(ValidationError) as raised:
        give(item, supersedes=[foreign])
    assert list(raised.value.message_dict) == ["supersedes"]


def test_a_consent_is_superseded_once(item: GovernedItem) -> None:
    earlier = give(item)
    give(item, supersedes=[earlier])
    with pytest.raises(ValidationError) as raised:
        give(item, supersedes=[earlier])
    assert list(raised.value.message_dict) == ["supersedes"]
    assert Consent.objects.count() == 2


def test_a_narrower_consent_in_place_of_a_wider_one_marks_the_models(item: GovernedItem) -> None:
    wide = give(item)
    version = make_model_version(state="candidate", trained_on=[item.public_id])
    give(item, purposes=[Purpose.PREDICTION], supersedes=[wide])
    version.refresh_from_db()
    assert version.marked_at is not None


def test_renewing_a_consent_marks_no_model(item: GovernedItem) -> None:
    wide = give(item)
    version = make_model_version(state="candidate", trained_on=[item.public_id])
    give(item, supersedes=[wide])
    version.refresh_from_db()
    assert version.marked_at is None


RAW: dict[str, dict[str, Any]] = {
    "consent_state_is_known": {"state": "perhaps"},
    "consent_names_purpose": {"purposes": []},
    "consent_purposes_are_known": {"purposes": ["resale"]},
    "consent_names_audience": {"audiences": []},
    "consent_audiences_are_known": {"audiences": ["everybody"]},
    "consent_interval_is_ordered": {"valid_until": START},
    "consent_has_document": {"document_reference": ""},
    "consent_document_hash_is_sha256": {"document_sha256": "abc"},
    "consent_withdrawn_has_date": {"state": "withdrawn"},
}


@pytest.mark.parametrize("constraint", RAW)
def test_the_database_refuses_a_bad_consent_by_itself(constraint: str) -> None:
    fields: dict[str, Any] = {
        "community": make_community(),
        "state": "granted",
        "purposes": ["training"],
        "audiences": ["platform"],
        "valid_from": START,
        "document_reference": "synthetic letter",
        "recorded_by": "test",
    }
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Consent.objects.create(**{**fields, **RAW[constraint]})
    assert not Consent.objects.exists()


def test_an_item_stands_once_in_a_consent(item: GovernedItem) -> None:
    consent = give(item)
    with pytest.raises(IntegrityError, match="consent_item_once"), transaction.atomic():
        ConsentItem.objects.create(consent=consent, item=item)
