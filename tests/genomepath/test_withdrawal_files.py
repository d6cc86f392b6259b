"""Files that hold what was learned from withdrawn items go, by their hashes; cut off anywhere, the deletion goes on."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from correlations.models import Practice
from ethics.models import AuditEvent
from genomepath import withdrawal_artefacts, withdrawal_processing
from genomepath.models import TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.runs import run_request
from genomepath.snapshot_folders import snapshot_keep
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_model_version, make_practice, make_training_catalogue
from tests.genomepath.withdrawal_cases import (
    DATA,
    RETIRED_MODEL,
    artefact_paths,
    object_to,
    retired_version_of,
    steps,
    write,
    write_snapshot_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice() -> Practice:
    return make_practice()


def test_files_of_models_out_of_service_are_deleted_by_their_hashes(practice):
    version = retired_version_of(practice)
    kept = write("models/run-other/model.safetensors", "other weights")
    case = object_to(practice)

    withdrawals_process()

    version.refresh_from_db()
    assert version.state == "quarantined"
    assert artefact_paths() == ["models/run-other/model.safetensors"]
    deleted = {entry["path"]: entry["sha256"] for step in case.steps.all() for entry in step.artefacts}
    assert deleted == {
        "models/run-old/model.safetensors": hashlib.sha256(b"weights").hexdigest(),
        "models/run-old/tensorboard/events": hashlib.sha256(b"events").hexdigest(),
        f"snapshots/{DATA}/practices.jsonl": hashlib.sha256(
            (json.dumps({"slug": practice.slug}) + "\n").encode()
        ).hexdigest(),
    }
    assert kept not in deleted.values()


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"], ids=lambda character: f"U+{ord(character):04X}")
def test_a_snapshot_is_found_although_a_text_in_it_holds_what_looks_like_the_end_of_a_line(separator):
    """Such characters come with pasted texts; the snapshot is written as training writes it."""
    catalogue = make_training_catalogue()
    practice = catalogue.practices[0]
    Practice.objects.filter(pk=practice.pk).update(preparation=f"steep{separator}strain")
    snapshot_keep(owner="run-1", include_drafts=False)
    case = object_to(practice)

    withdrawals_process()

    assert artefact_paths() == []
    assert [what for what, _ in steps(case)].count("artefacts.deleted") == 1


@pytest.mark.parametrize("damage", [b'{"slug": "prac', b'{"name": "no slug"}\n', b'["slug"]\n', b"\xff\xfe\n"])
def test_a_snapshot_whose_list_cannot_be_read_may_hold_the_practice_and_goes(practice, damage):
    listing = Path(settings.ARTEFACT_ROOT) / "snapshots" / DATA / "practices.jsonl"
    listing.parent.mkdir(parents=True)
    listing.write_bytes(damage)
    object_to(practice)

    withdrawals_process()

    assert artefact_paths() == []


def test_a_snapshot_without_the_practice_stays(practice):
    write_snapshot_of(make_practice())
    object_to(practice)

    withdrawals_process()

    assert artefact_paths() == [f"snapshots/{DATA}/practices.jsonl"]


def test_what_an_unfinished_training_left_is_deleted_as_well(practice):
    write_snapshot_of(practice)
    run = run_request(kind=RunKind.TRAINING, requested_by="engineer", preset="small")
    TrainingRun.objects.filter(pk=run.pk).update(state="failed", error="synthetic", data_sha256=DATA)
    write(f"models/run-{run.public_id}/state.safetensors", "half a training")
    case = object_to(practice)

    withdrawals_process()

    assert artefact_paths() == []
    assert ("artefacts.deleted", f"run {run.public_id}") in steps(case)


def test_what_a_second_attempt_beside_a_registered_version_left_is_deleted_as_well(practice):
    write_snapshot_of(practice)
    run = run_request(kind=RunKind.TRAINING, requested_by="engineer", preset="small")
    first = make_model_version(folder=f"models/run-{run.public_id}")
    TrainingRun.objects.filter(pk=run.pk).update(
        state="failed", error="synthetic", data_sha256=DATA, model_version=first
    )
    write(f"models/run-{run.public_id}/model.safetensors", "of a version that knows nothing of the practice")
    write(f"models/run-{run.public_id}-2/state.safetensors", "half a training")
    case = object_to(practice)

    withdrawals_process()

    assert artefact_paths() == [f"models/run-{run.public_id}/model.safetensors"]
    assert ("artefacts.deleted", f"run {run.public_id}-2") in steps(case)


def test_a_training_on_the_practice_is_cancelled_and_its_files_go_when_it_has_stopped(practice):
    write_snapshot_of(practice)
    run = run_request(kind=RunKind.TRAINING, requested_by="engineer", preset="small")
    now = timezone.now()
    TrainingRun.objects.filter(pk=run.pk).update(
        state="running", data_sha256=DATA, started_at=now, heartbeat_at=now, attempt=1
    )
    case = object_to(practice)
    withdrawals_process()
    run.refresh_from_db()
    case.refresh_from_db()
    assert (run.state, case.state) == ("cancelled", "open")
    assert ("training.cancelled", f"run {run.public_id}") in steps(case)
    (receipt,) = case.receipts.all()
    assert [work["what"] for work in json.loads(receipt.document)["still_running"]] == ["files.waiting"]

    long_ago = now - timedelta(minutes=5)
    TrainingRun.objects.filter(pk=run.pk).update(finished_at=long_ago, heartbeat_at=long_ago)
    withdrawals_process()

    case.refresh_from_db()
    assert (case.state, artefact_paths()) == ("completed", [])


def test_a_version_that_two_cases_concern_stands_in_both_receipts(practice):
    other = make_practice()
    retired_version_of(practice, trained_on=[practice.item.public_id, other.item.public_id])
    first, second = object_to(practice), object_to(other)

    withdrawals_process()

    listed = [
        [step.artefacts for step in case.steps.filter(where=f"model {RETIRED_MODEL}", what="artefacts.deleted")]
        for case in (first, second)
    ]
    assert listed[0] == listed[1] != [[]]


CRASHES = [
    (withdrawal_processing, "answers_purge"),
    (withdrawal_processing, "_note_marked_models"),
    (withdrawal_processing, "export_notices"),
    (withdrawal_processing, "trainings_cancel"),
    (withdrawal_processing, "model_quarantine"),
    (withdrawal_processing, "folders_delete"),
    (withdrawal_artefacts, "file_hashes"),
    (withdrawal_artefacts, "_delete_file"),
    (withdrawal_artefacts, "withdrawal_step_record"),
    (withdrawal_processing, "running_work"),
    (withdrawal_processing, "withdrawal_receipt_issue"),
    (withdrawal_processing, "withdrawal_advance"),
]


@pytest.mark.parametrize(("module", "step"), CRASHES, ids=lambda value: getattr(value, "__name__", value))
def test_a_crash_in_any_step_only_delays_the_rest(module, step, practice, monkeypatch, caplog):
    retired_version_of(practice)
    case = object_to(practice)

    def crash(*args, **kwargs):
        raise OSError("the machine stopped here")

    with monkeypatch.context() as broken:
        broken.setattr(module, step, crash)
        withdrawals_process()
        case.refresh_from_db()
        assert case.state == "open"
        assert "the machine stopped here" in caplog.text
    withdrawals_process()

    case.refresh_from_db()
    assert (case.state, artefact_paths()) == ("completed", [])
    recorded = AuditEvent.objects.filter(event_type="withdrawal.step").order_by("pk")
    done = [(event.details["what"], event.details["where"]) for event in recorded]
    assert sorted(done) == sorted(steps(case)), "each step is recorded once"
    assert sum(len(step.artefacts) for step in case.steps.all()) == 3
    assert [receipt.kind for receipt in case.receipts.all()] == ["purge", "final"]


def test_a_deletion_that_was_cut_off_goes_on_from_the_stored_list(practice, monkeypatch):
    """The snapshot's list of practices, by which it is found, is gone already; the rest of it still goes."""
    retired_version_of(practice)
    write(f"snapshots/{DATA}/targets.jsonl", "targets")
    case = object_to(practice)
    delete = withdrawal_artefacts._delete_file
    calls: list[Path] = []

    def stop_after_one_of_the_snapshot(path: Path) -> None:
        if calls:
            raise OSError("the machine stopped here")
        delete(path)
        if path.name == "practices.jsonl":
            calls.append(path)

    with monkeypatch.context() as broken:
        broken.setattr(withdrawal_artefacts, "_delete_file", stop_after_one_of_the_snapshot)
        withdrawals_process()
    assert artefact_paths() == [f"snapshots/{DATA}/targets.jsonl"]

    withdrawals_process()

    case.refresh_from_db()
    assert (case.state, artefact_paths()) == ("completed", [])
