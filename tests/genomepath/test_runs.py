"""A run from the request to its end. Publications stand for all kinds here: they need no training."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics.audit import AuditContext, audit_context
from ethics.models import AuditEvent
from genomepath import run_execution, tasks
from genomepath.artefacts import model_folder
from genomepath.models import Prediction, TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.run_execution import RunInterrupted, RunReporter, run_execute
from genomepath.runs import QUEUE_PATIENCE, heartbeat_limit, run_cancel, run_request, run_requeue, runs_reap_lost
from genomepath.withdrawal_artefacts import may_still_work
from tests.factories import make_practice, make_target
from tests.genomepath.model_folders import make_scored_version
from tests.genomepath.own_broker import broker_settings, own_broker

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue():
    with own_broker() as broker:
        yield broker


@pytest.fixture
def version():
    return make_scored_version([make_practice()], [make_target(), make_target()])


def request_publication(version, **fields) -> TrainingRun:
    return run_request(kind=RunKind.PUBLICATION, model_version=version, requested_by="engineer", **fields)


def make_run(version, **fields) -> TrainingRun:
    return TrainingRun.objects.create(
        **{"kind": "publication", "model_version": version, "requested_by": "engineer", **fields}
    )


def events(run: TrainingRun) -> list[str]:
    found = AuditEvent.objects.filter(subject_ids=[str(run.public_id)]).order_by("pk")
    return [event.event_type for event in found]


def stale() -> datetime:
    return timezone.now() - heartbeat_limit() - timedelta(seconds=1)


def test_a_request_is_queued_on_commit_and_not_before(queue, version, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run = request_publication(version)
        assert queue.waiting_runs() == []

    assert queue.waiting_runs() == [str(run.public_id)]
    assert (run.state, run.requested_by, events(run)) == ("queued", "engineer", ["training.requested"])


def test_a_request_that_is_rolled_back_leaves_no_run_and_no_message(queue, version, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        request_publication(version)
        raise RuntimeError("the request fails after all")

    assert (queue.waiting_runs(), TrainingRun.objects.count()) == ([], 0)


def test_a_run_for_this_process_is_not_queued(queue, version, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        request_publication(version, enqueue=False)

    assert queue.waiting_runs() == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"preset": "huge"}, "Unknown preset"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"parameters": {"hyperparameters": {"epochs": 0}}}, "epochs"),
        ({"parameters": {"hyperparameters": {"wings": 2}}}, "unknown hyperparameter: wings"),
        ({"requested_by": ""}, "blank"),
    ],
)
def test_a_bad_request_is_refused_before_anything_is_stored(fields, message):
    with pytest.raises(ValidationError, match=message):
        run_request(**{"kind": RunKind.TRAINING, "requested_by": "engineer", **fields})

    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("kind", [RunKind.EVALUATION, RunKind.PUBLICATION])
def test_only_a_training_needs_no_model_version(kind):
    with pytest.raises(ValidationError, match=f"kind {kind.value} needs a model version"):
        run_request(kind=kind, requested_by="engineer")


def test_a_run_ends_well_with_progress_log_heartbeat_and_event(version):
    run = run_execute(public_id=request_publication(version, enqueue=False).public_id)

    assert (run.state, run.error, run.attempt) == ("succeeded", "", 1)
    assert (run.progress_done, run.progress_total) == (1, 1)
    assert "8 predictions published." in run.log
    assert run.started_at and run.heartbeat_at and run.finished_at
    assert run.requested_at <= run.started_at <= run.heartbeat_at <= run.finished_at
    assert Prediction.objects.filter(model_version=version).count() == 8
    assert events(run) == ["training.requested", "training.completed"]


def test_an_observer_sees_every_report(version):
    seen = []
    run_execute(
        public_id=request_publication(version, enqueue=False).public_id,
        observer=lambda done, total, message: seen.append((done, total, message)),
    )

    assert seen == [(1, 1, "8 predictions published.")]


def test_what_a_run_does_is_recorded_in_the_name_of_who_asked(version):
    with audit_context(AuditContext("mira", "ml_engineer", request_id="request-7")):
        run = run_request(
            kind=RunKind.PUBLICATION,
            model_version=version,
            requested_by="mira",
            requested_role="ml_engineer",
            enqueue=False,
        )
    run_execute(public_id=run.public_id)

    event = AuditEvent.objects.get(event_type="predictions.published")
    assert (event.actor_name, event.actor_role, event.request_id) == ("mira", "ml_engineer", "request-7")


def test_failing_work_ends_in_failed_with_cause_and_event(version):
    shutil.rmtree(model_folder(version))

    run = run_execute(public_id=request_publication(version, enqueue=False).public_id)

    assert run.state == "failed"
    assert "cannot be read" in run.message
    assert "ValidationError" in run.error and "catalogue.json" in run.error
    assert run.finished_at is not None
    assert AuditEvent.objects.get(event_type="training.failed").reason == "ValidationError"
    assert not Prediction.objects.exists()


def test_an_evaluation_of_a_version_whose_files_are_gone_says_so(version):
    shutil.rmtree(model_folder(version))
    run = run_request(kind=RunKind.EVALUATION, model_version=version, requested_by="engineer", enqueue=False)

    assert run_execute(public_id=run.public_id).message == "The files of this model version are gone."


def test_a_cause_with_a_nul_character_is_stored_all_the_same(version):
    (model_folder(version) / "catalogue.json").write_text('{"practices": ["a\\u0000b"], "targets": []}')

    run = run_execute(public_id=request_publication(version, enqueue=False).public_id)

    assert run.state == "failed"


@pytest.mark.parametrize("state", ["succeeded", "cancelled"])
def test_redelivery_of_an_ended_run_does_nothing(version, state):
    run = make_run(version, state=state, heartbeat_at=stale())

    tasks.execute_run(str(run.public_id))

    run.refresh_from_db()
    assert (run.state, run.attempt, events(run)) == (state, 0, [])
    assert not Prediction.objects.exists()


def test_redelivery_of_a_failed_run_does_nothing(version):
    run = make_run(version, state="failed", error="cause", heartbeat_at=stale())

    tasks.execute_run(str(run.public_id))

    assert TrainingRun.objects.get().state == "failed"


def test_a_queued_run_that_is_cancelled_never_starts(version):
    run = request_publication(version, enqueue=False)
    run_cancel(run=run)

    ended = run_execute(public_id=run.public_id)

    assert (ended.state, ended.started_at) == ("cancelled", None)
    assert events(run) == ["training.requested", "training.failed"]


def test_a_running_run_that_is_cancelled_stops_at_its_next_report(version):
    run = request_publication(version, enqueue=False)
    reports = []

    def cancel_at_the_first_report(done: int, total: int, message: str) -> None:
        reports.append(done)
        run_cancel(run=run)
        # The work reports again and is stopped.
        RunReporter(TrainingRun.objects.get(pk=run.pk)).progress(1, 1, "again")

    ended = run_execute(public_id=run.public_id, observer=cancel_at_the_first_report)

    assert (ended.state, ended.message, reports) == ("cancelled", "Cancelled.", [1])
    assert events(run) == ["training.requested", "training.failed"]


def test_a_cancelled_run_whose_process_still_works_is_known_to_be_at_work(version):
    """However long it takes to its next report: a withdrawal must not call finished what still runs."""
    run = make_run(version, state="running", heartbeat_at=timezone.now(), started_at=timezone.now(), attempt=1)
    run_cancel(run=run)
    TrainingRun.objects.filter(pk=run.pk).update(finished_at=stale(), heartbeat_at=stale())
    run.refresh_from_db()
    assert not may_still_work(run)

    run_execution._still_works(run)

    run.refresh_from_db()
    assert (run.state, may_still_work(run)) == ("cancelled", True)


def test_a_run_cancelled_after_its_last_report_is_not_recorded_as_completed(version):
    run = request_publication(version, enqueue=False)

    ended = run_execute(public_id=run.public_id, observer=lambda *report: run_cancel(run=run))

    assert ended.state == "cancelled"
    assert events(run) == ["training.requested", "training.failed"]


def test_an_ended_run_cannot_be_cancelled(version):
    run = make_run(version, state="succeeded")

    with pytest.raises(ValidationError, match="ended already"):
        run_cancel(run=run)


def test_a_running_run_with_a_fresh_heartbeat_is_not_taken_twice(version):
    run = make_run(version, state="running", heartbeat_at=timezone.now(), attempt=1)

    assert run_execute(public_id=run.public_id).state == "running"

    assert (TrainingRun.objects.get().attempt, Prediction.objects.count()) == (1, 0)


def test_a_running_run_with_a_stale_heartbeat_is_taken_up(version):
    run = make_run(version, state="running", heartbeat_at=stale(), attempt=1)

    ended = run_execute(public_id=run.public_id)

    assert (ended.state, ended.attempt) == ("succeeded", 2)


def test_a_worker_that_lost_its_run_to_another_can_neither_report_nor_end_it(version):
    former = make_run(version, state="running", heartbeat_at=stale(), attempt=1)
    TrainingRun.objects.filter(pk=former.pk).update(attempt=2, heartbeat_at=timezone.now())

    with pytest.raises(RunInterrupted):
        RunReporter(former).progress(1, 2, "I am back")

    assert (TrainingRun.objects.get().state, TrainingRun.objects.get().message) == ("running", "")


def test_the_reaper_marks_lost_runs_and_queues_them_again(queue, version, django_capture_on_commit_callbacks):
    lost = make_run(version, state="running", heartbeat_at=stale())
    alive = make_run(version, state="running", heartbeat_at=timezone.now())

    with django_capture_on_commit_callbacks(execute=True):
        assert runs_reap_lost() == 1

    assert queue.waiting_runs() == [str(lost.public_id)]
    states = dict(TrainingRun.objects.values_list("pk", "state"))
    assert states == {lost.pk: "lost", alive.pk: "running"}
    assert run_execute(public_id=lost.public_id).state == "succeeded"


def test_a_lost_run_is_queued_once_and_again_only_after_the_queue_had_its_time(
    queue, version, django_capture_on_commit_callbacks
):
    run = make_run(version, state="running", heartbeat_at=stale())
    with django_capture_on_commit_callbacks(execute=True):
        assert [runs_reap_lost(), runs_reap_lost()] == [1, 0]
        TrainingRun.objects.filter(pk=run.pk).update(queued_at=timezone.now() - QUEUE_PATIENCE * 2)
        assert runs_reap_lost() == 1

    assert queue.waiting_runs() == [str(run.public_id)] * 2


def test_a_slow_worker_that_was_marked_as_lost_gets_its_run_back_by_reporting(version):
    run = make_run(version, state="running", heartbeat_at=stale(), attempt=1)
    runs_reap_lost()

    RunReporter(run).progress(1, 2, "still here")

    found = TrainingRun.objects.get()
    assert (found.state, found.message, found.progress_done) == ("running", "still here", 1)


def test_a_queued_run_whose_message_was_lost_is_queued_again(queue, version, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=False):
        run = request_publication(version)
    assert runs_reap_lost() == 0
    TrainingRun.objects.filter(pk=run.pk).update(queued_at=timezone.now() - QUEUE_PATIENCE * 2)

    with django_capture_on_commit_callbacks(execute=True):
        assert runs_reap_lost() == 1

    assert queue.waiting_runs() == [str(run.public_id)]


def test_a_request_outlives_a_broker_that_is_away(version, django_capture_on_commit_callbacks, caplog):
    nobody_listens_here = "redis://127.0.0.1:1/0"
    with broker_settings(url=nobody_listens_here), django_capture_on_commit_callbacks(execute=True):
        run = request_publication(version)

    assert TrainingRun.objects.get().state == "queued"
    assert f"run {run.public_id} could not be queued now" in caplog.text


@pytest.mark.parametrize("state", ["cancelled", "failed", "lost"])
def test_a_run_that_was_cut_off_can_be_opened_again(version, state):
    run = make_run(version, state=state, error="cause", finished_at=timezone.now(), heartbeat_at=stale())

    run_requeue(run=run)
    ended = run_execute(public_id=run.public_id)

    assert (ended.state, ended.error) == ("succeeded", "")


@pytest.mark.parametrize("state", ["queued", "succeeded", "running"])
def test_a_run_that_waits_works_or_ended_well_cannot_be_opened_again(version, state):
    run = make_run(version, state=state, heartbeat_at=timezone.now())

    with pytest.raises(ValidationError, match=f"A {state} run cannot be resumed"):
        run_requeue(run=run)


def test_a_log_keeps_its_end_when_it_grows_too_long(version):
    run = make_run(version, state="running", log="x" * 199_990)

    RunReporter(run).log("the last line")

    log = TrainingRun.objects.get().log
    assert len(log) == 200_000
    assert log.endswith("the last line\n")
