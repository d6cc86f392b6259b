"""Studies of hyperparameters: each point done once, whoever delivers it how often; the same study when asked for again."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from ethics.models import AuditEvent, GovernedItem
from genomepath import tuning_execution
from genomepath.artefacts import snapshot_folder
from genomepath.management.commands import tune_genomepath
from genomepath.ml.tuning import TuningResult
from genomepath.models import TuningPoint
from genomepath.models.tuning import PointState
from genomepath.tasks import tune_point
from genomepath.tuning import (
    is_worked_on,
    ml_worker_answers,
    open_points,
    tuning_points_requeue,
    tuning_study_find_or_request,
)
from genomepath.tuning_execution import tuning_point_execute, tuning_point_finish, tuning_study_work
from tests.factories import make_training_catalogue
from tests.genomepath.own_broker import own_broker

pytestmark = pytest.mark.django_db
GRID = {"learning_rate": (1e-4, 5e-4), "batch_rows": (32,), "dropout": (0.1, 0.2), "bridge": (128,)}
RESULT = TuningResult(0.5, 0.6, 0.4, 0.8, 0.7, 0.1, 0.2, 1, 2, 1.5, 100.0)


@pytest.fixture
def trained(monkeypatch) -> list[int]:
    """The numbers of the points that were trained, without training any."""
    numbers: list[int] = []

    def train(point: TuningPoint) -> TuningResult:
        numbers.append(point.number)
        return RESULT

    monkeypatch.setattr(tuning_execution, "_train", train)
    return numbers


@pytest.fixture
def study():
    make_training_catalogue()
    return asked()


def asked(**options):
    fields = {"preset": "small", "seed": 0, "epochs": 1, "requested_by": "engineer", "grid": GRID, **options}
    return tuning_study_find_or_request(**fields)


def test_a_study_has_every_point_of_the_grid_and_an_event(study):
    points = list(study.points.order_by("number"))

    assert [(point.learning_rate, point.dropout) for point in points] == [
        (1e-4, 0.1), (1e-4, 0.2), (5e-4, 0.1), (5e-4, 0.2),
    ]  # fmt: skip
    event = AuditEvent.objects.get(event_type="tuning.requested")
    assert event.details == {"preset": "small", "points": 4}
    assert (snapshot_folder(study.data_sha256) / "manifest.json").exists()
    assert set(study.trained_on) == set(GovernedItem.objects.values_list("public_id", flat=True))


def test_asked_for_again_it_is_the_same_study(study):
    assert asked() == study
    assert asked(seed=1) != study
    assert asked(epochs=2) != study
    assert AuditEvent.objects.filter(event_type="tuning.requested").count() == 3


def test_a_change_of_the_code_asks_for_another_study(study, monkeypatch):
    monkeypatch.setattr("genomepath.tuning.code_version", lambda: "another")

    assert asked() != study


@pytest.mark.parametrize("options", [{"preset": "huge"}, {"epochs": 0}])
def test_bad_requests_are_refused(options):
    make_training_catalogue()

    with pytest.raises(ValidationError):
        asked(**options)


def test_without_anything_to_train_on_there_is_no_study():
    with pytest.raises(ValidationError, match="No correlation may be used for training"):
        asked()


def test_every_point_is_trained_once_and_the_last_one_ends_the_study(study, trained):
    assert tuning_study_work(public_id=study.public_id) == 4
    assert tuning_study_work(public_id=study.public_id) == 0

    study.refresh_from_db()
    assert trained == [0, 1, 2, 3]
    assert study.finished_at is not None
    assert {point.state for point in study.points.all()} == {PointState.DONE}
    event = AuditEvent.objects.get(event_type="tuning.completed")
    assert event.details == {"data_sha256": study.data_sha256, "points": 4, "failed": 0}


def test_a_message_delivered_twice_trains_once(study, trained):
    point = study.points.get(number=2)

    tune_point(str(point.public_id))
    tune_point(str(point.public_id))

    assert trained == [2]


def test_a_point_that_another_process_works_on_is_left_alone(study, trained):
    study.points.filter(number=1).update(state=PointState.RUNNING, attempt=1, heartbeat_at=timezone.now())

    tuning_point_execute(public_id=study.points.get(number=1).public_id)

    assert trained == []
    assert is_worked_on(study)


def test_a_point_whose_process_died_is_taken_up_again(study, trained, settings):
    old = timezone.now() - timedelta(seconds=settings.RUN_HEARTBEAT_LIMIT_SECONDS + 1)
    study.points.filter(number=1).update(state=PointState.RUNNING, attempt=1, heartbeat_at=old)

    assert not is_worked_on(study)
    tuning_point_execute(public_id=study.points.get(number=1).public_id)

    assert trained == [1]
    assert study.points.get(number=1).attempt == 2


def test_a_process_that_was_thought_dead_writes_nothing(study):
    point = study.points.get(number=0)
    point.state, point.attempt = PointState.RUNNING.value, 2
    point.save()
    point.attempt = 1

    tuning_point_finish(point=point, state=PointState.DONE, result={"mrr": 0.9})

    assert study.points.get(number=0).result == {}


def test_a_point_that_fails_says_why_and_the_others_go_on(study, monkeypatch):
    def train(point):
        if point.number == 1:
            raise ValueError("the loss is not finite")
        return RESULT

    monkeypatch.setattr(tuning_execution, "_train", train)
    tuning_study_work(public_id=study.public_id)

    assert study.points.get(number=1).error == "ValueError: the loss is not finite"
    assert study.points.filter(state=PointState.DONE).count() == 3
    assert AuditEvent.objects.get(event_type="tuning.completed").details["failed"] == 1


def test_a_snapshot_that_a_withdrawal_deleted_fails_the_points(study):
    import shutil

    shutil.rmtree(snapshot_folder(study.data_sha256))
    tuning_study_work(public_id=study.public_id)

    assert {point.state for point in study.points.all()} == {PointState.FAILED}


def test_points_are_queued_once_and_again_when_they_are_lost(study, settings, django_capture_on_commit_callbacks):
    with own_broker() as broker:
        with django_capture_on_commit_callbacks(execute=True):
            assert tuning_points_requeue(study=study) == 4
        assert tuning_points_requeue(study=study) == 0
        assert broker.waiting_runs() == [str(point.public_id) for point in study.points.order_by("number")]
        old = timezone.now() - timedelta(seconds=settings.RUN_HEARTBEAT_LIMIT_SECONDS + 1)
        study.points.filter(number=3).update(state=PointState.RUNNING, heartbeat_at=old)
        assert tuning_points_requeue() == 1


def test_failed_points_are_trained_again_when_asked(study, trained):
    tuning_study_work(public_id=study.public_id)
    study.points.filter(number=0).update(state=PointState.FAILED, error="an error", result={})

    with own_broker():
        assert tuning_points_requeue(study=study, failed=True) == 1

    study.refresh_from_db()
    assert study.finished_at is None
    assert open_points(study).count() == 1


def test_no_worker_is_found_where_none_is():
    with own_broker():
        assert not ml_worker_answers(0.2)


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("tune_genomepath", "--epochs", "1", "--no-progress", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


@pytest.fixture
def small_grid(monkeypatch):
    def find(**options):
        return tuning_study_find_or_request(**options, grid=GRID)

    monkeypatch.setattr(tune_genomepath, "tuning_study_find_or_request", find)


def test_the_command_says_that_no_worker_is_there_and_loses_nothing(small_grid):
    make_training_catalogue()

    with own_broker(), pytest.raises(CommandError, match="No worker of the ML queue answers"):
        command()

    assert open_points(asked()).count() == 4


def test_the_command_without_data_says_so(small_grid):
    with pytest.raises(CommandError, match="No correlation may be used for training"):
        command()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "--seed"),
        (["--in-process", "-2"], "--in-process"),
        (["--json", "/no/such/folder/file.json"], "cannot be written"),
        (["--report", __file__], "is a file"),
        (["--preset", "huge"], "invalid choice"),
    ],
)
def test_bad_options_are_refused(arguments, message):
    with pytest.raises(CommandError, match=message):
        command(*arguments)


def test_a_finished_study_is_reported_again_and_nothing_is_done_twice(small_grid, study, trained, tmp_path):
    tuning_study_work(public_id=study.public_id)

    printed = command("--json", str(tmp_path / "grid.json"), "--report", str(tmp_path / "report"))

    assert trained == [0, 1, 2, 3]
    assert "4 points trained, 0 failed" in printed
    assert "peak memory of a process 100 MiB" in printed
    found = json.loads((tmp_path / "grid.json").read_text(encoding="utf-8"))
    assert (len(found["points"]), found["seconds"], found["study"]) == (4, 6.0, str(study.public_id))
    report = (tmp_path / "report" / "TUNING_REPORT.md").read_text(encoding="utf-8")
    assert "| learning rate " in report
    page = (tmp_path / "report" / "TUNING_REPORT.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4


def test_a_failed_point_ends_the_command_badly(small_grid, study, trained):
    tuning_study_work(public_id=study.public_id)
    study.points.filter(number=0).update(state=PointState.FAILED, error="an error", result={})

    with pytest.raises(CommandError, match="an error"):
        command()
