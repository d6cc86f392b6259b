"""Real workers and the clock carry a withdrawal from its commit to the model that takes over; nobody acts.

That a refused model leaves the old one in service until the deadline is shown in
``tests/genomepath/test_withdrawal_retraining.py``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from correlations.models import Practice
from ethics.models import AuditEvent, WithdrawalCase
from ethics.stewardship import item_record_objection
from genomepath.models import ModelVersion, Prediction, TrainingRun
from genomepath.models.training_run import RunKind, RunState
from genomepath.registry import model_promote
from genomepath.run_execution import run_execute
from genomepath.runs import run_request
from tests.factories import make_training_catalogue
from tests.genomepath.own_broker import own_broker
from tests.service_home import PROJECT_ROOT

PURGED = ("answers.purged", "predictions.deleted", "model.marked", "exports.listed", "retraining.requested")
PURGE_SECONDS = 60.0
RETRAINING_SECONDS = 240.0


@contextmanager
def workers(environment: dict[str, str], folder: Path) -> Iterator[Path]:
    """The worker of the default queue with the clock, and the ML worker; gives their log."""
    celery = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "neurobotanica",
        "worker",
        "--concurrency",
        "1",
        "--loglevel",
        "INFO",
    ]
    commands = (
        [*celery, "-Q", "default", "-n", "default@%h", "--beat", "--schedule", str(folder / "beat")],
        [*celery, "-Q", "ml", "-n", "ml@%h"],
    )
    log = folder / "workers.log"
    with log.open("ab") as output:
        running = [
            subprocess.Popen(
                command, cwd=PROJECT_ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )
            for command in commands
        ]
        try:
            yield log
        finally:
            for worker in running:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait(timeout=10)


def train_and_promote() -> ModelVersion:
    """A small model in service; as the first one, it may lose to a baseline."""
    make_training_catalogue()
    training = run_request(
        kind=RunKind.TRAINING,
        preset="small",
        requested_by="engineer",
        parameters={"hyperparameters": {"epochs": 3}, "then_evaluate": True, "workers": 1},
        enqueue=False,
    )
    assert run_execute(public_id=training.public_id).state == RunState.SUCCEEDED
    training.refresh_from_db()
    assert training.model_version is not None
    evaluation = training.model_version.runs.get(kind=RunKind.EVALUATION.value)
    assert run_execute(public_id=evaluation.public_id).state == RunState.SUCCEEDED
    return model_promote(version=training.model_version, promoted_by="engineer")


def wait_for(condition, seconds: float, log: Path) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, log.read_text()[-3000:]
        time.sleep(0.2)
    return time.monotonic() - started


@pytest.mark.slow
def test_workers_and_clock_purge_retrain_judge_and_promote(committed_database, tmp_path) -> None:
    with own_broker() as broker:
        old = train_and_promote()
        environment = {
            **os.environ,
            "DATABASE_URL": committed_database.url,
            "CELERY_KEY_PREFIX": broker.key_prefix,
            "ARTEFACT_ROOT": str(django_settings.ARTEFACT_ROOT),
            "OMP_NUM_THREADS": "1",
        }
        with workers(environment, tmp_path) as log:
            item = Practice.objects.order_by("slug")[0].item
            item_record_objection(item=item, reference="letter 1", reason="the community objects")
            case = WithdrawalCase.objects.get()
            wait_for(case.receipts.exists, PURGE_SECONDS, log)

            wait_for(case.receipts.filter(kind="final").exists, RETRAINING_SECONDS, log)

    assert not AuditEvent.objects.filter(event_type="withdrawal.alerted").exists()
    case.refresh_from_db()
    assert case.state == "completed"
    purge, final = (json.loads(receipt.document) for receipt in case.receipts.all())
    assert {step["what"] for step in purge["finished"]} == set(PURGED)
    assert [work["where"] for work in purge["still_running"]] == [f"model {old.sha256}"]
    assert final["still_running"] == []
    retrained = TrainingRun.objects.get(parameters__retrains=old.sha256).model_version
    assert retrained is not None
    assert item.public_id not in retrained.trained_on
    assert retrained.gate["passed"] is True
    assert (ModelVersion.objects.get(state="active"), retrained.promoted_by) == (retrained, "withdrawal")
    old.refresh_from_db()
    assert old.state == "quarantined"
    assert not (Path(django_settings.ARTEFACT_ROOT) / old.folder).exists()
    assert not Prediction.objects.filter(practice__item=item).exists()
