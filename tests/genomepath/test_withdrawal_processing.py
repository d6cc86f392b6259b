"""A withdrawal removes what was made of its items, step by step; a step done twice, or cut off, is done once."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from correlations.models import Practice
from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, WithdrawalCase
from ethics.policy import Audience, Basis, ConsentState, Purpose, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath import withdrawal_artefacts, withdrawal_processing
from genomepath.export_records import export_record_add
from genomepath.models import ModelVersion, Prediction, TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.publication import predictions_publish
from genomepath.runs import run_request
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_item, make_model_version, make_practice, make_target, publish
from tests.genomepath.model_folders import make_scored_version

pytestmark = pytest.mark.django_db

RETIRED_MODEL = "a" * 64
DATA = "d" * 64


def write(path: str, content: str) -> str:
    """Write a file below the artefact root; returns its SHA-256."""
    file = Path(django_settings.ARTEFACT_ROOT) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return hashlib.sha256(content.encode()).hexdigest()


def write_snapshot_of(practice: Practice, data_sha256: str = DATA) -> str:
    return write(f"snapshots/{data_sha256}/practices.jsonl", json.dumps({"slug": practice.slug}) + "\n")


def retired_version_of(practice: Practice, **fields) -> ModelVersion:
    write("models/run-old/tensorboard/events", "events")
    write("models/run-old/model.safetensors", "weights")
    write_snapshot_of(practice)
    return make_model_version(
        **{
            "sha256": RETIRED_MODEL,
            "state": "retired",
            "folder": "models/run-old",
            "snapshot_folder": f"snapshots/{DATA}",
            "data_sha256": DATA,
            "trained_on": [practice.item.public_id],
            **fields,
        }
    )


def object_to(practice: Practice) -> WithdrawalCase:
    item_record_objection(item=practice.item, reference="letter 1", reason="the community objects")
    return WithdrawalCase.objects.latest("pk")


def steps(case: WithdrawalCase) -> dict[tuple[str, str], dict]:
    return {(step.what, step.where): step.counts for step in case.steps.filter(done_at__isnull=False)}


def artefact_paths() -> list[str]:
    root = Path(django_settings.ARTEFACT_ROOT)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


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


def test_what_an_unfinished_training_left_is_deleted_as_well(practice):
    write_snapshot_of(practice)
    run = run_request(kind=RunKind.TRAINING, requested_by="engineer", preset="small")
    TrainingRun.objects.filter(pk=run.pk).update(state="failed", error="synthetic", data_sha256=DATA)
    write(f"models/run-{run.public_id}/state.safetensors", "half a training")
    case = object_to(practice)

    withdrawals_process()

    assert artefact_paths() == []
    assert ("artefacts.deleted", f"run {run.public_id}") in steps(case)


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

    TrainingRun.objects.filter(pk=run.pk).update(finished_at=now - timedelta(minutes=5))
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


def test_processing_again_changes_nothing(practice):
    retired_version_of(practice)
    object_to(practice)
    withdrawals_process()
    before = list(AuditEvent.objects.order_by("pk").values_list("event_type", flat=True))
    when = list(WithdrawalCase.objects.get().steps.values_list("done_at", flat=True))

    assert withdrawals_process() == 0

    assert list(AuditEvent.objects.order_by("pk").values_list("event_type", flat=True)) == before
    assert list(WithdrawalCase.objects.get().steps.values_list("done_at", flat=True)) == when


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
        purpose=Purpose.TRAINING,
    )
    export_record_add(
        what="training set",
        recipient="Nobody concerned",
        data_sha256="e" * 64,
        item_public_ids=[make_item().public_id],
        purpose=Purpose.TRAINING,
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
