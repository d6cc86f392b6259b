"""A withdrawal reaches studies of hyperparameters: no point trains on what is withheld; the receipt waits for the last."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from correlations.models import Practice
from ethics.consent import consent_record
from ethics.models import AuditEvent, Consent, GovernedItem, WithdrawalCase
from ethics.policy import Audience, Basis, ConsentState, Purpose, SacredStatus
from ethics.stewardship import item_set_status
from genomepath import tuning_execution
from genomepath.ml import tuning as ml_tuning
from genomepath.ml.tuning import TuningResult, tuning_data
from genomepath.models import TuningPoint, TuningStudy
from genomepath.models.tuning import PointState
from genomepath.tasks import tune_point
from genomepath.tuning import tuning_points_requeue, tuning_study_find_or_request
from genomepath.tuning_execution import WITHHELD, tuning_study_work
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_practice, make_training_catalogue
from tests.genomepath.ml.synthetic import HashEncoder
from tests.genomepath.own_broker import own_broker
from tests.genomepath.withdrawal_cases import artefact_paths, object_to, steps

pytestmark = pytest.mark.django_db
GRID = {"learning_rate": (1e-4, 5e-4), "batch_rows": (32,), "dropout": (0.1,), "bridge": (128,)}
RESULT = TuningResult(0.5, 0.6, 0.4, 0.8, 0.7, 0.1, 0.2, 1, 2, 1.5, 100.0)


@pytest.fixture
def practice() -> Practice:
    return make_training_catalogue().practices[0]


@pytest.fixture
def study(practice) -> TuningStudy:
    return asked()


def asked() -> TuningStudy:
    return tuning_study_find_or_request(preset="small", seed=0, epochs=2, requested_by="engineer", grid=GRID)


@pytest.fixture
def trained(monkeypatch) -> list[int]:
    """The numbers of the points that were trained, without training any."""
    numbers: list[int] = []

    def train(point: TuningPoint) -> TuningResult:
        numbers.append(point.number)
        return RESULT

    monkeypatch.setattr(tuning_execution, "_train", train)
    return numbers


def ends(study: TuningStudy) -> list[tuple[str, str]]:
    return list(study.points.order_by("number").values_list("state", "error"))


def test_no_point_is_trained_on_what_was_withdrawn(practice, study, trained):
    object_to(practice)

    tuning_study_work(public_id=study.public_id)

    study.refresh_from_db()
    assert trained == []
    assert ends(study) == [("failed", WITHHELD)] * 2
    assert study.finished_at is not None
    assert AuditEvent.objects.get(event_type="tuning.stopped").details == {"points": 1}
    assert AuditEvent.objects.get(event_type="tuning.completed").details["failed"] == 2


def test_a_message_of_a_study_on_withdrawn_items_trains_nothing(practice, study, trained):
    object_to(practice)

    tune_point(str(study.points.get(number=1).public_id))

    assert trained == []
    assert ends(study) == [("failed", WITHHELD)] * 2


def test_a_consent_that_ended_by_the_clock_ends_the_study_as_well(practice, trained):
    now = timezone.now()
    GovernedItem.objects.filter(pk=practice.item.pk).update(basis=Basis.CONSENT)
    consent = consent_record(
        community=practice.item.community,
        items=[practice.item],
        purposes=[Purpose.TRAINING],
        audiences=[Audience.PLATFORM],
        state=ConsentState.GRANTED,
        valid_from=now - timedelta(days=2),
        document_reference="synthetic letter",
        recorded_by="test",
    )
    study = asked()
    Consent.objects.filter(pk=consent.pk).update(valid_until=now - timedelta(days=1))

    tuning_study_work(public_id=study.public_id)

    assert trained == []


def test_a_withdrawal_ends_a_point_that_is_being_trained_with_its_epoch(practice, study, monkeypatch):
    monkeypatch.setattr(ml_tuning, "MiniLMEncoder", HashEncoder)
    fit = ml_tuning.tune_point
    epochs: list[str] = []

    def withdrawn_amid_it(*arguments, on_epoch, **options) -> TuningResult:
        def after_epoch() -> None:
            epochs.append("done")
            object_to(practice)
            on_epoch()

        return fit(*arguments, on_epoch=after_epoch, **options)

    monkeypatch.setattr(ml_tuning, "tune_point", withdrawn_amid_it)

    tuning_study_work(public_id=study.public_id)

    assert epochs == ["done"]
    assert ends(study) == [("failed", WITHHELD)] * 2
    assert tuning_data.cache_info().currsize == 0, "the snapshot is forgotten"


def test_the_snapshot_stays_in_memory_while_a_point_waits_and_no_longer(study, monkeypatch):
    monkeypatch.setattr(ml_tuning, "MiniLMEncoder", HashEncoder)
    first, second = study.points.order_by("number")

    tune_point(str(first.public_id))
    assert tuning_data.cache_info().currsize == 1
    tune_point(str(second.public_id))

    assert tuning_data.cache_info().currsize == 0


def test_a_withdrawal_stops_the_study_and_its_receipt_says_so(practice, study):
    case = object_to(practice)

    withdrawals_process()

    case.refresh_from_db()
    assert ends(study) == [("failed", WITHHELD)] * 2
    assert (case.state, artefact_paths()) == ("completed", [])
    assert ("tuning.stopped", f"study {study.public_id}") in steps(case)
    assert practice.title not in json.dumps(
        [json.loads(text) for text in case.receipts.values_list("document", flat=True)]
    )


def test_a_study_that_its_workers_stopped_first_stands_in_the_receipt_too(practice, study, trained):
    case = object_to(practice)
    tuning_study_work(public_id=study.public_id)

    withdrawals_process()

    assert ("tuning.stopped", f"study {study.public_id}") in steps(case)


def test_the_final_receipt_waits_for_a_point_that_is_still_trained(practice, study):
    study.points.filter(number=0).update(state=PointState.RUNNING, attempt=1, heartbeat_at=timezone.now())
    case = object_to(practice)
    withdrawals_process()
    case.refresh_from_db()
    (receipt,) = case.receipts.all()
    still_running = [(work["what"], work["where"]) for work in json.loads(receipt.document)["still_running"]]
    assert (case.state, still_running) == ("open", [("work.stopping", f"study {study.public_id}")])

    study.points.filter(number=0).update(state=PointState.FAILED, error=WITHHELD)
    withdrawals_process()

    case.refresh_from_db()
    assert case.state == "completed"


def test_a_point_whose_process_died_holds_no_receipt_up(practice, study, settings):
    silent = timezone.now() - timedelta(seconds=settings.RUN_HEARTBEAT_LIMIT_SECONDS + 1)
    study.points.filter(number=0).update(state=PointState.RUNNING, attempt=1, heartbeat_at=silent)
    case = object_to(practice)

    withdrawals_process()

    case.refresh_from_db()
    assert (case.state, ends(study)) == ("completed", [("failed", WITHHELD)] * 2)


def test_a_sacred_item_leaves_no_word_of_itself_in_the_stopped_study(practice, study):
    Practice.objects.filter(pk=practice.pk).update(title="canary-sacred-title")
    item_set_status(item=practice.item, status=SacredStatus.SACRED)

    tuning_study_work(public_id=study.public_id)
    withdrawals_process()

    told = [*study.points.values_list("error", flat=True), *AuditEvent.objects.values_list("canonical", flat=True)]
    told += WithdrawalCase.objects.values_list("receipts__document", flat=True)
    assert "canary-sacred-title" not in "".join(map(str, told))


def test_what_no_study_was_trained_on_stops_none(practice, study, trained):
    object_to(make_practice())

    withdrawals_process()

    assert tuning_study_work(public_id=study.public_id) == 2
    assert trained == [0, 1]


def test_a_study_from_before_it_was_noted_trains_nothing_until_it_is_asked_for_again(study, trained):
    TuningStudy.objects.update(trained_on=[])
    tuning_study_work(public_id=study.public_id)
    assert trained == []

    assert asked() == study
    with own_broker():
        tuning_points_requeue(study=study, failed=True)
    tuning_study_work(public_id=study.public_id)

    assert trained == [0, 1]
