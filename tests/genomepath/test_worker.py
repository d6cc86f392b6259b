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
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.runs import run_cancel, run_request, runs_reap_lost
from tests.factories import make_training_catalogue
from tests.genomepath.own_broker import OwnBroker, own_broker
from tests.service_home import PROJECT_ROOT

HEARTBEAT_LIMIT_SECONDS = 3
EPOCHS_UNTIL_KILLED = 6

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
