"""A withdrawal out of a model in service: retrained, judged, promoted through the gate without a person, or masked."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from ethics.models import AuditEvent, WithdrawalCase, WithdrawalStep
from ethics.policy import Audience, SacredStatus
from ethics.records import governed_item_add
from ethics.stewardship import item_record_objection
from genomepath.ml import gate
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.registry import model_promote
from genomepath.run_execution import run_execute
from genomepath.runs import run_request
from genomepath.training_set import training_set_export
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_community, make_training_catalogue

pytestmark = pytest.mark.django_db
EPOCHS = {"hyperparameters": {"epochs": 3}}


@pytest.fixture
def passable_gate(monkeypatch) -> None:
    """Three epochs beat the popularity baseline; the wording of the synthetic texts gives the other one away."""
    monkeypatch.setattr(gate, "BASELINES_TO_BEAT", ("popularity",))


@pytest.fixture
def refusing_gate(active, monkeypatch) -> None:
    """From now on no exported file is near enough to torch."""
    monkeypatch.setattr(gate, "ONNX_TOLERANCE", 0.0)


@pytest.fixture
def active(evaluated) -> ModelVersion:
    for kind, parameters in ((RunKind.TRAINING, EPOCHS), (RunKind.EVALUATION, {"workers": 1})):
        TrainingRun.objects.create(
            kind=kind.value,
            state="succeeded",
            preset="small",
            parameters=parameters,
            model_version=evaluated.version,
            requested_by="engineer",
        )
    return model_promote(version=evaluated.version, promoted_by="engineer")


def object_to(evaluated, index: int = 0) -> WithdrawalCase:
    item = evaluated.catalogue.practices[index].item
    item_record_objection(item=item, reference="letter 1", reason="the community objects")
    return WithdrawalCase.objects.latest("pk")


def work_off_the_queue() -> list[TrainingRun]:
    """What the worker does with everything that waits for it."""
    done = []
    while (run := TrainingRun.objects.filter(state="queued").order_by("pk").first()) is not None:
        done.append(run_execute(public_id=run.public_id))
    return done


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def events(event_type: str) -> int:
    return AuditEvent.objects.filter(event_type=event_type).count()


def process_until(case: WithdrawalCase, state: str) -> None:
    withdrawals_process()
    case.refresh_from_db()
    assert case.state == state


def documents(case: WithdrawalCase) -> list[dict]:
    """What the receipts of a case say, in the order in which they were issued."""
    return [json.loads(document) for document in case.receipts.values_list("document", flat=True)]


def pass_the_deadline(case: WithdrawalCase) -> None:
    moment = timezone.now() - timedelta(hours=25)
    WithdrawalCase.objects.filter(pk=case.pk).update(opened_at=moment, deadline_at=moment + timedelta(hours=24))
    case.refresh_from_db()


def ask(client, practice) -> int:
    return int(client.get(f"/api/v1/predictions/practices/{practice.slug}/targets/").status_code)


def test_from_the_withdrawal_to_a_complete_receipt_nobody_acts(evaluated, active, passable_gate, make_api_client):
    root = Path(django_settings.ARTEFACT_ROOT)
    before = hashes(root)
    withdrawn, other = evaluated.catalogue.practices[:2]
    client = make_api_client(Audience.RESEARCH).http
    case = object_to(evaluated)

    process_until(case, "retraining")
    assert (ask(client, withdrawn), ask(client, other)) == (404, 200)
    training, evaluation = work_off_the_queue()
    process_until(case, "completed")

    assert (training.state, evaluation.state) == ("succeeded", "succeeded"), evaluation.error
    now_active = ModelVersion.objects.get(state="active")
    assert (now_active, now_active.promoted_by) == (training.model_version, "withdrawal")
    assert withdrawn.item.public_id not in now_active.trained_on
    active.refresh_from_db()
    assert active.state == "quarantined"
    assert (ask(client, withdrawn), ask(client, other)) == (404, 200)
    _, final = documents(case)
    deleted = {file["path"]: file["sha256"] for step in final["finished"] for file in step["files"]}
    assert deleted == before, "every file of the old model and its snapshot"
    assert not before.keys() & hashes(root).keys()
    assert withdrawn.title not in json.dumps(final)
    assert events("withdrawal.completed") == 1
    assert events("withdrawal.alerted") == 0


def test_the_receipt_of_the_purge_names_the_model_in_service_and_the_final_one_refers_to_it(
    evaluated, active, passable_gate
):
    case = object_to(evaluated)

    withdrawals_process()
    (purge,) = documents(case)
    work_off_the_queue()
    withdrawals_process()

    (running,) = purge["still_running"]
    assert (running["what"], running["where"]) == ("model.replacing", f"model {active.sha256}")
    assert running["until"] == purge["deadline"] == case.deadline_at.isoformat(timespec="seconds")
    assert {"answers.purged", "predictions.deleted", "model.marked", "exports.listed", "retraining.requested"} == {
        step["what"] for step in purge["finished"]
    }
    first, final = case.receipts.all()
    assert json.loads(final.document)["follows"] == {"receipt": first.number, "sha256": first.sha256}
    assert json.loads(final.document)["still_running"] == []
    assert [first.kind, final.kind] == ["purge", "final"]


def test_a_refused_retraining_alerts_and_the_old_model_serves_masked_until_the_deadline(
    evaluated, active, refusing_gate, make_api_client
):
    withdrawn, other = evaluated.catalogue.practices[:2]
    client = make_api_client(Audience.RESEARCH).http
    case = object_to(evaluated)
    withdrawals_process()
    work_off_the_queue()

    process_until(case, "retraining")
    process_until(case, "retraining")

    alert = AuditEvent.objects.get(event_type="withdrawal.alerted")
    assert alert.reason == "The gate refuses the retrained model: ONNX parity"
    assert (ask(client, withdrawn), ask(client, other)) == (404, 200)
    assert ModelVersion.objects.get(state="active") == active
    assert work_off_the_queue() == [], "a refused retraining is not tried again by itself"

    pass_the_deadline(case)
    process_until(case, "completed")

    assert (ask(client, withdrawn), ask(client, other)) == (503, 503)
    active.refresh_from_db()
    assert active.state == "quarantined"
    assert not (Path(django_settings.ARTEFACT_ROOT) / active.folder).exists()
    assert case.steps.filter(what="model.left_service").exists()
    assert events("model.retired") == 1
    advanced = AuditEvent.objects.filter(event_type="withdrawal.advanced").order_by("pk")
    assert [event.details["state"] for event in advanced] == ["retraining", "overdue"]


def test_when_the_last_training_data_is_withdrawn_the_model_leaves_at_the_deadline(evaluated, active):
    for index in range(len(evaluated.catalogue.practices)):
        case = object_to(evaluated, index)
    withdrawals_process()
    (training,) = work_off_the_queue()
    assert training.state == "failed"
    assert training.message.startswith("No correlation may be used for training.")
    process_until(case, "retraining")
    assert "No correlation may be used" in AuditEvent.objects.filter(event_type="withdrawal.alerted")[0].reason

    pass_the_deadline(case)
    withdrawals_process()
    withdrawals_process()

    assert not ModelVersion.objects.filter(state="active").exists()
    assert set(WithdrawalCase.objects.values_list("state", flat=True)) == {"completed"}
    assert hashes(Path(django_settings.ARTEFACT_ROOT)) == {}


@pytest.mark.slow
def test_a_withdrawal_during_the_retraining_starts_another_one(evaluated, active, passable_gate):
    first = object_to(evaluated, 0)
    withdrawals_process()
    training = run_execute(public_id=TrainingRun.objects.get(state="queued").public_id)
    second = object_to(evaluated, 1)
    assert training.model_version is not None

    work_off_the_queue()
    withdrawals_process()
    assert ModelVersion.objects.get(state="active") == active, "a marked version is not promoted"
    work_off_the_queue()
    withdrawals_process()

    final = ModelVersion.objects.get(state="active")
    assert len(final.trained_on) == len(evaluated.catalogue.practices) - 2
    for case in (first, second):
        case.refresh_from_db()
        assert case.state == "completed"
    training.model_version.refresh_from_db()
    assert training.model_version.state == "quarantined"


def test_decisions_that_come_together_share_one_retraining(evaluated, active):
    object_to(evaluated, 0)
    object_to(evaluated, 1)

    withdrawals_process()
    withdrawals_process()

    assert TrainingRun.objects.filter(state="queued").count() == 1
    assert WithdrawalStep.objects.filter(what="retraining.requested").values("where").distinct().count() == 1


def test_a_retraining_equals_a_training_that_never_had_the_practice(evaluated, active):
    withdrawn = evaluated.catalogue.practices[0]
    object_to(evaluated)
    withdrawals_process()
    retrained = run_execute(public_id=TrainingRun.objects.get(state="queued").public_id)
    assert retrained.model_version is not None

    withdrawn.delete()
    never_had = run_execute(public_id=request_training().public_id)

    assert never_had.state == "succeeded", never_had.error
    assert never_had.data_sha256 == retrained.data_sha256
    assert never_had.model_version == retrained.model_version != active


def test_a_sacred_record_leaves_weights_onnx_and_data_equal_byte_by_byte(db):
    make_training_catalogue()
    root = Path(django_settings.ARTEFACT_ROOT)
    before = trained_files(root)

    governed_item_add(
        community=make_community(),
        sacred_status=SacredStatus.SACRED,
        protected_names=["canary-sacred-name"],
    )
    after = trained_files(root)

    assert {
        "model.safetensors",
        "tk_to_genomic.onnx",
        "genomic_to_tk.onnx",
        "practices.jsonl",
        "train.safetensors",
    } <= {*before}
    assert after == before


# They tell of the run itself: when it was, and how long it took.
_OF_THE_RUN = {"history.jsonl", "manifest.json", "code.json"}


def trained_files(root: Path) -> dict[str, str]:
    """SHA-256 of the files of a training and of an export from nothing; its rows and folders are gone afterwards."""
    run = run_execute(public_id=request_training().public_id)
    assert run.state == "succeeded", run.error
    assert run.model_version is not None
    version = run.model_version
    export = root / "export"
    training_set_export(folder=export, seed=0, include_drafts=False, recipient="Synthetic university")
    found = {**hashes(root / version.folder), **hashes(root / version.snapshot_folder), **hashes(export)}
    TrainingRun.objects.all().delete()
    version.delete()
    shutil.rmtree(root)
    return {name: sha for name, sha in found.items() if name not in _OF_THE_RUN and "tensorboard" not in name}


def request_training() -> TrainingRun:
    return run_request(kind=RunKind.TRAINING, preset="small", parameters=EPOCHS, requested_by="engineer")
