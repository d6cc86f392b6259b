"""A real ML worker over the real broker: it does what the web process asked for, once, whatever kills it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from ethics.models import AuditEvent
from genomepath.ml.tuning import GRID
from genomepath.models import ModelVersion, TrainingRun, TuningStudy
from genomepath.models.training_run import RunKind
from genomepath.models.tuning import PointState
from genomepath.runs import run_cancel, run_request, runs_reap_lost
from genomepath.tuning import ml_worker_answers, tuning_points_requeue, tuning_study_find_or_request
from genomepath.tuning_execution import WITHHELD
from genomepath.tuning_processes import tuning_processes
from tests.factories import make_training_catalogue
from tests.genomepath.own_broker import OwnBroker, own_broker
from tests.genomepath.withdrawal_cases import object_to
from tests.service_home import PROJECT_ROOT

HEARTBEAT_LIMIT_SECONDS = 3
EPOCHS_UNTIL_KILLED = 6
FEW = {**GRID, "learning_rate": (5e-4,), "batch_rows": (32,), "bridge": (128,)}

ENQUEUE = """
import sys
import neurobotanica.wsgi
from genomepath.models.training_run import RunKind
from genomepath.runs import run_request
run = run_request(kind=RunKind.TRAINING, preset="small", requested_by="engineer",
                  parameters={"hyperparameters": {"epochs": 2}})
assert not [name for name in ("torch", "transformers", "onnxruntime", "sklearn") if name in sys.modules]
print(run.public_id)
"""


@pytest.fixture
def broker() -> Iterator[OwnBroker]:
    with own_broker() as broker:
        yield broker


@pytest.fixture
def environment(committed_database, broker, settings) -> dict[str, str]:
    """What another process needs to work on the same database, broker and artefacts."""
    settings.RUN_HEARTBEAT_LIMIT_SECONDS = HEARTBEAT_LIMIT_SECONDS
    return {
        **os.environ,
        "DATABASE_URL": committed_database.url,
        "CELERY_KEY_PREFIX": broker.key_prefix,
        "ARTEFACT_ROOT": str(django_settings.ARTEFACT_ROOT),
        "RUN_HEARTBEAT_LIMIT_SECONDS": str(HEARTBEAT_LIMIT_SECONDS),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def unblocked(committed_database, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@contextmanager
def ml_worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-A", "neurobotanica", "worker", "-Q", "ml", "--pool", "prefork"]
    command += ["--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with log.open("ab") as output:
        worker = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield worker
        finally:
            kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """kill -9 of the worker and its pool process."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(timeout=10)


def wait_for(run: TrainingRun, condition: Callable[[TrainingRun], bool], log: Path, seconds: float = 90) -> TrainingRun:
    deadline = time.monotonic() + seconds
    while not condition(run):
        assert time.monotonic() < deadline, f"{run.state}: {run.message}\n{run.error}\n{log.read_text()[-3000:]}"
        time.sleep(0.1)
        run.refresh_from_db()
    return run


def has_ended(run: TrainingRun) -> bool:
    return run.state in {"succeeded", "failed", "cancelled"}


def request_training(epochs: int, **fields) -> TrainingRun:
    return run_request(
        kind=RunKind.TRAINING,
        preset="small",
        requested_by="engineer",
        parameters={"hyperparameters": {"epochs": epochs, "patience": epochs, "state_every": 2}},
        **fields,
    )


def test_the_worker_trains_what_a_web_process_without_torch_asked_for(environment, unblocked, broker, tmp_path):
    make_training_catalogue()
    log = tmp_path / "worker.log"

    asked = subprocess.run(
        [sys.executable, "-c", ENQUEUE],
        check=False,
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert asked.returncode == 0, asked.stderr
    run = TrainingRun.objects.get(public_id=asked.stdout.strip())
    assert broker.waiting_runs() == [str(run.public_id)]
    with ml_worker(environment, log):
        wait_for(run, has_ended, log)

    assert run.state == "succeeded", run.error
    assert (run.attempt, run.progress_done, run.progress_total) == (1, 2, 2)
    assert "Epoch 2:" in run.log
    version = ModelVersion.objects.get()
    assert (run.model_version, version.state, version.data_sha256) == (version, "candidate", run.data_sha256)
    assert (Path(django_settings.ARTEFACT_ROOT) / version.folder / "manifest.json").exists()
    assert AuditEvent.objects.filter(event_type="training.completed").count() == 1


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_training_loses_nothing(environment, unblocked, tmp_path):
    make_training_catalogue()
    log = tmp_path / "worker.log"
    epochs = 16

    run = request_training(epochs)
    with ml_worker(environment, log) as worker:
        wait_for(run, lambda run: run.progress_done >= EPOCHS_UNTIL_KILLED, log)
        kill(worker)
    run.refresh_from_db()
    assert run.state == "running"
    time.sleep(HEARTBEAT_LIMIT_SECONDS + 0.5)
    assert runs_reap_lost() == 1
    with ml_worker(environment, log):
        wait_for(run, has_ended, log)

    assert (run.state, run.attempt) == ("succeeded", 2), run.error
    assert AuditEvent.objects.filter(event_type="training.completed").count() == 1
    assert ModelVersion.objects.count() == 1
    epochs_reported = [line.split("Epoch ")[1].split(":")[0] for line in run.log.splitlines() if "Epoch " in line]
    assert epochs_reported.count("1") == 1, "the second attempt went on from the saved state"
    assert epochs_reported[-1] == str(epochs)


@pytest.mark.slow
def test_a_training_cancelled_while_the_worker_trains_stops(environment, unblocked, tmp_path):
    make_training_catalogue()
    log = tmp_path / "worker.log"

    run = request_training(2000)
    with ml_worker(environment, log):
        wait_for(run, lambda run: run.progress_done >= 2, log)
        run_cancel(run=run)
        following = request_training(1)
        wait_for(following, has_ended, log)

    run.refresh_from_db()
    assert (run.state, following.state) == ("cancelled", "succeeded")
    assert run.model_version is None


@pytest.mark.slow
def test_the_worker_judges_what_it_trained_when_asked_to(environment, unblocked, tmp_path):
    """Folds run in processes of their own, although the pool process may have no children of multiprocessing."""
    make_training_catalogue()
    log = tmp_path / "worker.log"

    run_request(
        kind=RunKind.TRAINING,
        preset="small",
        requested_by="engineer",
        parameters={"hyperparameters": {"epochs": 2}, "then_evaluate": True, "protocols": ["P0", "P1"], "workers": 2},
    )
    with ml_worker(environment, log):
        training = TrainingRun.objects.get(kind="training")
        wait_for(training, has_ended, log)
        evaluation = TrainingRun.objects.get(kind="evaluation")
        wait_for(evaluation, has_ended, log, seconds=180)

    assert (training.state, evaluation.state) == ("succeeded", "succeeded"), evaluation.error
    version = ModelVersion.objects.get()
    assert set(version.metrics["protocols"]) == {"P0", "P1"}
    assert version.gate["rules"]
    assert "The gate" in evaluation.log


def ask_study(epochs: int = 3) -> TuningStudy:
    return tuning_study_find_or_request(preset="small", seed=0, epochs=epochs, requested_by="engineer", grid=FEW)


def wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def done(study: TuningStudy) -> int:
    return study.points.filter(state=PointState.DONE).count()


@pytest.mark.slow
def test_a_worker_killed_amid_a_grid_loses_no_point_and_does_none_twice(environment, unblocked, tmp_path: Path) -> None:
    make_training_catalogue()
    study, log = ask_study(epochs=40), tmp_path / "worker.log"
    assert tuning_points_requeue(study=study) == 3

    with ml_worker(environment, log) as worker:
        wait_until(lambda: done(study) == 1)
        wait_until(lambda: study.points.filter(state=PointState.RUNNING).exists())
        kill(worker)
    first = study.points.get(state=PointState.DONE)
    time.sleep(HEARTBEAT_LIMIT_SECONDS + 0.5)
    assert tuning_points_requeue() == 1
    with ml_worker(environment, log):
        wait_until(lambda: ml_worker_answers(1.0))
        wait_until(lambda: done(study) == 3)

    study.refresh_from_db()
    assert study.finished_at is not None
    assert study.points.get(pk=first.pk).finished_at == first.finished_at
    assert sorted(study.points.values_list("attempt", flat=True)) == [1, 1, 2]
    assert AuditEvent.objects.filter(event_type="tuning.completed").count() == 1


@pytest.mark.slow
def test_processes_of_the_command_share_the_points_and_end_with_it(environment, unblocked, monkeypatch) -> None:
    make_training_catalogue()
    study = ask_study()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with tuning_processes(study.public_id, 2) as processes:
        wait_until(lambda: not processes.any_works())

    study.refresh_from_db()
    assert (done(study), study.finished_at is not None) == (3, True)
    assert set(study.points.values_list("attempt", flat=True)) == {1}


@pytest.mark.slow
def test_processes_of_the_command_train_nothing_on_what_was_withdrawn(environment, unblocked, monkeypatch) -> None:
    practice = make_training_catalogue().practices[0]
    study = ask_study()
    object_to(practice)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with tuning_processes(study.public_id, 2) as processes:
        wait_until(lambda: not processes.any_works())

    assert set(study.points.values_list("state", "error")) == {("failed", WITHHELD)}


@pytest.mark.slow
def test_a_command_killed_amid_a_grid_leaves_no_process_and_goes_on_when_called_again(environment, unblocked) -> None:
    make_training_catalogue()
    command = [sys.executable, "manage.py", "tune_genomepath", "--epochs", "2", "--in-process", "1", "--no-progress"]

    started = subprocess.Popen(command, cwd=PROJECT_ROOT, env={**os.environ, **environment})
    wait_until(lambda: TuningStudy.objects.exists() and done(TuningStudy.objects.get()) >= 1)
    started.kill()
    started.wait()
    study = TuningStudy.objects.get()
    wait_until(lambda: not study.points.filter(state=PointState.RUNNING, attempt__gt=1).exists())
    time.sleep(HEARTBEAT_LIMIT_SECONDS + 0.5)
    left = study.points.exclude(state=PointState.DONE).count()
    time.sleep(2)
    assert study.points.exclude(state=PointState.DONE).count() == left, "its process has ended with it"
    study.points.filter(number__gt=5).exclude(state=PointState.DONE).delete()
    again = subprocess.run(
        command, cwd=PROJECT_ROOT, env={**os.environ, **environment}, capture_output=True, check=False
    )

    assert again.returncode == 0, again.stderr[-2000:]
    assert b"0 failed" in again.stdout
    assert TuningStudy.objects.count() == 1
    assert AuditEvent.objects.filter(event_type="tuning.completed").count() == 1
