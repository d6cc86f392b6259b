"""A withdrawal opens a case and is carried through step by step; a step done twice is done once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from correlations.models import Practice
from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, WithdrawalCase
from ethics.policy import Audience, Basis, ConsentState, Purpose, SacredStatus
from ethics.stewardship import item_set_status
from ethics.withdrawal_receipt import RunningWork
from genomepath import withdrawal_processing
from genomepath.answer_cache import RenderedAnswer, answer_get, answer_key, answer_put
from genomepath.export_records import export_record_add
from genomepath.models import Prediction
from genomepath.publication import predictions_publish
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_item, make_model_version, make_practice, make_target, publish
from tests.genomepath.model_folders import make_scored_version
from tests.genomepath.withdrawal_cases import (
    DATA,
    artefact_paths,
    object_to,
    retired_version_of,
    steps,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice() -> Practice:
    return make_practice()


def test_a_decision_opens_a_case_in_its_own_transaction(practice):
    case = object_to(practice)

    assert (case.cause, case.state, case.item_public_ids) == ("objected", "open", [practice.item.public_id])
    assert case.community == practice.item.community
    assert case.deadline_at - case.opened_at == timedelta(hours=24)
    opened = AuditEvent.objects.get(event_type="withdrawal.opened")
    assert opened.subject_ids == [str(case.public_id), str(practice.item.public_id)]


def test_each_decision_opens_one_case_with_its_cause(practice):
    consent = consent_record(
        community=practice.item.community,
        items=[practice.item],
        purposes=list(Purpose),
        audiences=list(Audience),
        state=ConsentState.GRANTED,
        valid_from=timezone.now() - timedelta(days=1),
        document_reference="synthetic letter",
        recorded_by="test",
    )
    consent_withdraw(consent=consent, reason="the community decided so")
    item_set_status(item=practice.item, status=SacredStatus.RESTRICTED)

    cases = WithdrawalCase.objects.order_by("pk")
    assert [(case.cause, case.consent_public_id) for case in cases] == [
        ("withdrawn", consent.public_id),
        ("status", None),
    ]


def test_without_a_model_the_case_is_completed_at_once(practice):
    other, target = make_practice(), make_target()
    publish(make_model_version(), [practice, other], [target])
    case = object_to(practice)

    assert withdrawals_process() == 1

    case.refresh_from_db()
    assert case.state == "completed"
    assert case.completed_at is not None
    assert steps(case)["predictions.deleted", "published predictions"] == {
        "predictions": 4,
        "items_withheld": 1,
        "items_still_shown": 0,
    }
    assert set(Prediction.objects.values_list("practice__slug", flat=True)) == {other.slug}
    assert AuditEvent.objects.filter(event_type="withdrawal.completed").count() == 1


def test_the_answer_cache_is_emptied(practice, make_api_client):
    publish(make_model_version(), [practice], [make_target()])
    client = make_api_client(Audience.RESEARCH).http
    assert client.get(f"/api/v1/predictions/practices/{practice.slug}/targets/").status_code == 200
    store = redis.Redis.from_url(django_settings.REDIS_URL)
    pattern = f"{django_settings.CACHES['default']['KEY_PREFIX']}:answer:*"
    assert len(list(store.scan_iter(pattern))) == 1
    case = object_to(practice)

    withdrawals_process()

    assert list(store.scan_iter(pattern)) == []
    assert steps(case)["answers.purged", "answer cache"] == {"answers": 1}


def test_what_a_request_stored_after_the_purge_is_gone_before_the_final_receipt(practice, monkeypatch):
    case, now = object_to(practice), timezone.now()
    late = RenderedAnswer(b"{}", '"etag"', [], [], 0, (now + timedelta(minutes=1)).isoformat())
    with monkeypatch.context() as unfinished:
        waits_for = [RunningWork("files.waiting", "trainings")]
        unfinished.setattr(withdrawal_processing, "running_work", lambda case: waits_for)
        withdrawals_process()
    answer_put(answer_key("late"), late, now)

    withdrawals_process()

    assert [receipt.kind for receipt in case.receipts.all()] == ["purge", "final"]
    assert answer_get(answer_key("late"), now) is None


def test_without_redis_the_rest_is_done_and_the_case_waits_for_the_purge(practice, settings):
    retired_version_of(practice)
    case = object_to(practice)
    working = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    withdrawals_process()
    case.refresh_from_db()
    assert (case.state, artefact_paths()) == ("open", [])
    assert not case.receipts.exists()

    settings.REDIS_URL = working
    withdrawals_process()

    case.refresh_from_db()
    assert case.state == "completed"


def test_processing_again_changes_nothing(practice):
    retired_version_of(practice)
    object_to(practice)
    withdrawals_process()
    before = list(AuditEvent.objects.order_by("pk").values_list("event_type", flat=True))
    when = list(WithdrawalCase.objects.get().steps.values_list("done_at", flat=True))

    assert withdrawals_process() == 0

    assert list(AuditEvent.objects.order_by("pk").values_list("event_type", flat=True)) == before
    assert list(WithdrawalCase.objects.get().steps.values_list("done_at", flat=True)) == when


def test_one_case_that_fails_does_not_stop_the_others(practice, monkeypatch):
    other = make_practice()
    first, second = object_to(practice), object_to(other)
    process = withdrawal_processing.withdrawal_process

    def fail_first(*, case):
        if case == first:
            raise OSError("synthetic")
        return process(case=case)

    monkeypatch.setattr(withdrawal_processing, "withdrawal_process", fail_first)
    withdrawals_process()

    second.refresh_from_db()
    assert second.state == "completed"


def test_the_end_of_a_consent_opens_a_case_without_anybody_acting():
    item = make_item(basis=Basis.CONSENT, basis_source="")
    practice = make_practice(item=item)
    retired_version_of(practice)
    consent = consent_record(
        community=item.community,
        items=[item],
        purposes=list(Purpose),
        audiences=list(Audience),
        state=ConsentState.GRANTED,
        valid_from=timezone.now() - timedelta(days=2),
        valid_until=timezone.now() - timedelta(days=1),
        document_reference="synthetic letter",
        recorded_by="test",
    )

    assert withdrawals_process() == 1
    assert withdrawals_process() == 0

    case = WithdrawalCase.objects.get()
    assert (case.cause, case.consent_public_id, case.state) == ("expired", consent.public_id, "completed")
    assert artefact_paths() == []


def test_a_consent_that_ends_beside_another_basis_takes_nothing_out_of_use(practice):
    consent_record(
        community=practice.item.community,
        items=[practice.item],
        purposes=list(Purpose),
        audiences=list(Audience),
        state=ConsentState.GRANTED,
        valid_from=timezone.now() - timedelta(days=2),
        valid_until=timezone.now() - timedelta(days=1),
        document_reference="synthetic letter",
        recorded_by="test",
    )

    withdrawals_process()

    assert not WithdrawalCase.objects.exists()


def test_exports_that_held_the_item_are_listed_with_a_notice_to_their_recipient(practice):
    held = export_record_add(
        what="training set",
        recipient="Synthetic university",
        data_sha256=DATA,
        item_public_ids=[practice.item.public_id],
        audiences=[Audience.RESEARCH],
    )
    export_record_add(
        what="training set",
        recipient="Nobody concerned",
        data_sha256="e" * 64,
        item_public_ids=[make_item().public_id],
        audiences=[Audience.RESEARCH],
    )
    case = object_to(practice)

    withdrawals_process()

    (listed,) = case.steps.get(what="exports.listed").exports
    assert (listed["export"], listed["recipient"]) == (str(held.public_id), "Synthetic university")
    assert listed["items"] == [str(practice.item.public_id)]
    assert "Synthetic university" in listed["notice"]
    assert DATA in listed["notice"]
    assert practice.title not in listed["notice"]


def test_a_marked_version_published_again_leaves_the_practice_out(practice):
    other, target = make_practice(), make_target()
    version = make_scored_version([practice, other], [target], trained_on=[practice.item.public_id])
    object_to(practice)
    version.refresh_from_db()

    predictions_publish(version=version)

    assert set(Prediction.objects.values_list("practice__slug", flat=True)) == {other.slug}
