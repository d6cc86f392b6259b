"""Deleted predictions come back with the permission, without anybody acting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from correlations.models import GenomicTarget, Practice
from ethics.consent import consent_record, consent_withdraw
from ethics.policy import Audience, Basis, ConsentState, Purpose
from genomepath.models import ModelVersion, Prediction
from genomepath.prediction_restoring import predictions_restore
from genomepath.publication import predictions_publish
from genomepath.withdrawal_processing import withdrawals_process
from tests.admin_people import make_consent
from tests.factories import make_item, make_practice, make_target
from tests.genomepath.model_folders import make_scored_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice() -> Practice:
    return make_practice(item=make_item(basis=Basis.CONSENT, basis_source=""))


@pytest.fixture
def target() -> GenomicTarget:
    return make_target()


@pytest.fixture
def active(practice, target) -> ModelVersion:
    version = make_scored_version([practice, make_practice()], [target], state="active")
    predictions_publish(version=version)
    return version


def predicted() -> set[str]:
    return set(Prediction.objects.values_list("practice__slug", flat=True))


def grant(practice: Practice, **fields):
    return consent_record(
        **{
            "community": practice.item.community,
            "items": [practice.item],
            "purposes": [Purpose.PREDICTION],
            "audiences": [Audience.RESEARCH],
            "state": ConsentState.GRANTED,
            "valid_from": datetime(2026, 1, 2, tzinfo=UTC),
            "document_reference": "letter",
            "recorded_by": "test",
            **fields,
        }
    )


def test_predictions_deleted_by_a_withdrawal_return_when_a_new_consent_allows_them(
    practice, target, active, make_api_client
):
    consent = consent_withdraw(consent=make_consent(practice.item), reason="reason")
    withdrawals_process()
    assert practice.slug not in predicted()
    assert predictions_restore() == 0

    grant(practice, supersedes=[consent])
    client = make_api_client(Audience.RESEARCH).http
    address = f"/api/v1/predictions/practices/{practice.slug}/targets/"
    assert client.get(address).json()["predictions"] == []
    restored = predictions_restore()

    assert restored == Prediction.objects.count() > 0
    assert practice.slug in predicted()
    assert predictions_restore() == 0


def test_a_practice_that_the_model_in_service_does_not_know_is_left_to_the_next_model(active, target):
    other = make_practice(item=make_item(basis=Basis.CONSENT, basis_source=""))
    consent = consent_withdraw(consent=make_consent(other.item), reason="reason")
    withdrawals_process()
    grant(other, supersedes=[consent])

    assert predictions_restore() == 0


def test_without_a_model_in_service_nothing_is_published(db):
    assert predictions_restore() == 0
