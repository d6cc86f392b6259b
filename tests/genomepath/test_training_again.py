"""A training that is taken up again after its version was registered: what is registered stays as it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from genomepath import run_execution
from genomepath.artefacts import artefact_root, model_folder, verify_model_files
from genomepath.ml.checkpoint import ModelManifest, update_manifest, write_json
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.run_execution import run_execute
from genomepath.runs import heartbeat_limit, run_request
from tests.factories import TrainingCatalogue, make_correlation, make_training_catalogue

pytestmark = pytest.mark.django_db


def train(snapshot: Path, folder: Path, *_: object, seed: int, **__: object) -> ModelManifest:
    """Weights that follow from the data, as a training would find them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_text(f"weights of {snapshot.name}")
    write_json(
        folder / "config.json",
        {"preset": "small", "seed": seed, "data_sha256": snapshot.name, "code_version": "t", "constraints_sha256": "t"},
    )
    write_json(folder / "catalogue.json", {"practices": [], "targets": []})
    return update_manifest(folder)


@pytest.fixture
def catalogue(monkeypatch) -> TrainingCatalogue:
    monkeypatch.setattr("genomepath.ml.training_run.train_model", train)
    return make_training_catalogue()


@pytest.fixture
def lost(catalogue, monkeypatch) -> TrainingRun:
    """A training whose version is registered, and whose end was never noted: the database went away just then."""

    def fail(run: TrainingRun) -> None:
        raise OperationalError("the connection is gone")

    run = run_request(kind=RunKind.TRAINING, preset="small", requested_by="engineer", enqueue=False)
    with monkeypatch.context() as gone:
        gone.setattr(run_execution, "_succeed", fail)
        with pytest.raises(OperationalError):
            run_execute(public_id=run.public_id)
    TrainingRun.objects.update(heartbeat_at=timezone.now() - heartbeat_limit() - timedelta(seconds=1))
    return run


def test_on_other_data_it_trains_in_a_folder_of_its_own(lost, catalogue):
    first = ModelVersion.objects.get()
    make_correlation(catalogue.practices[0], catalogue.targets[2])

    second = run_execute(public_id=lost.public_id).model_version

    assert second is not None and second != first
    assert model_folder(second) != model_folder(first)
    for version in (first, second):
        verify_model_files(version)


def test_on_the_same_data_it_ends_with_the_version_and_the_folder_that_are_there(lost):
    first = ModelVersion.objects.get()

    again = run_execute(public_id=lost.public_id)

    assert (again.state, again.model_version) == ("succeeded", first)
    assert list((artefact_root() / "models").iterdir()) == [model_folder(first)]


def test_the_files_of_the_version_are_not_touched_while_it_trains_again(lost, monkeypatch):
    first = ModelVersion.objects.get()
    seen = []

    def look_and_train(snapshot: Path, folder: Path, *rest: object, **options) -> ModelManifest:
        seen.append(folder)
        return train(snapshot, folder, *rest, **options)

    monkeypatch.setattr("genomepath.ml.training_run.train_model", look_and_train)
    run_execute(public_id=lost.public_id)

    assert len(seen) == 1
    assert model_folder(first) not in seen
