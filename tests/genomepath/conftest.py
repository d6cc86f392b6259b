"""One tiny model, trained and judged once by the commands, for every test that needs a real one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.serializers import deserialize, serialize
from django.db import transaction
from django.db.models import Model
from django.test import override_settings

from ethics.clients import api_key_create, client_create
from ethics.policy import Audience
from genomepath.artefacts import model_folder
from genomepath.ml.abstention import measure_description_abstention, measure_text_abstention
from genomepath.ml.baselines import BASELINES
from genomepath.ml.checkpoint import update_manifest, write_json
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.evaluation import evaluate
from genomepath.ml.results import EvaluationResult
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import read_snapshot
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.publication import predictions_publish
from neurobotanica.serving_bench.server import granian_server
from tests.factories import TrainingCatalogue, make_training_catalogue
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features

PLENTY = 10_000_000
CACHE_OF_ITS_OWN = 9
ROWS, OUTPUTS, FINISHED = ("version.json", "run.json"), ("trained.txt", "judged.txt"), "finished"


@dataclass(frozen=True)
class TrainedModel:
    """What the commands printed and wrote, and the rows they left, which are rolled back.

    ``evaluation`` lies in the folder of the version, ``figures`` is what ``--json`` wrote of it.
    """

    root: Path
    version: dict[str, Any]
    training_run: dict[str, Any]
    train_output: str
    evaluate_output: str
    evaluation: dict[str, Any]
    figures: dict[str, Any]


def _printed(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture(scope="session")
def trained_model(django_db_setup, django_db_blocker, shared_folder) -> TrainedModel:
    """Three epochs of the small preset on the synthetic catalogue, judged on P0 and P1."""
    with shared_folder("trained") as folder:
        if not (folder / FINISHED).exists():
            with django_db_blocker.unblock():
                _train_and_judge(folder)
        version, run = (next(deserialize("json", (folder / file).read_text())).object for file in ROWS)
        trained, judged = ((folder / file).read_text(encoding="utf-8") for file in OUTPUTS)
        figures = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        stored = folder / "artefacts" / _columns(version)["folder"] / "evaluation.json"
        evaluation = json.loads(stored.read_text(encoding="utf-8"))
    return TrainedModel(folder / "artefacts", _columns(version), _columns(run), trained, judged, evaluation, figures)


def _train_and_judge(folder: Path) -> None:
    root = folder / "artefacts"
    with override_settings(ARTEFACT_ROOT=root), transaction.atomic():
        make_training_catalogue()
        trained = _printed("train_genomepath", "--preset", "small", "--epochs", "3", "--json", "--no-progress")
        evaluation = str(folder / "evaluation.json")
        judged = _printed("evaluate_genomepath", "--json", evaluation, "--workers", "1", "--no-progress")
        rows = (ModelVersion.objects.all(), TrainingRun.objects.filter(kind="training"))
        for file, row in zip(ROWS, rows, strict=True):
            (folder / file).write_text(serialize("json", [row.get()]), encoding="utf-8")
        transaction.set_rollback(True)
    for file, text in zip(OUTPUTS, (trained, judged), strict=True):
        (folder / file).write_text(text, encoding="utf-8")
    (folder / FINISHED).touch()


def _columns(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@dataclass(frozen=True)
class EvaluatedVersion:
    """The trained model in the database and artefact folder of one test."""

    version: ModelVersion
    catalogue: TrainingCatalogue


@pytest.fixture
def evaluated(db, trained_model) -> EvaluatedVersion:
    """The trained and judged version as a candidate, with the catalogue it was trained on."""
    return _put_into_database(trained_model)


def _put_into_database(trained: TrainedModel) -> EvaluatedVersion:
    catalogue = make_training_catalogue()
    shutil.copytree(trained.root, django_settings.ARTEFACT_ROOT)
    fields = {name: value for name, value in trained.version.items() if name != "id"}
    version = ModelVersion.objects.create(
        **{**fields, "trained_on": [practice.item.public_id for practice in catalogue.practices], "gate": {}}
    )
    return EvaluatedVersion(version, catalogue)


@pytest.fixture
def in_service(trained_model, committed_database, django_db_blocker) -> Iterator[EvaluatedVersion]:
    """The trained version in service with its predictions published, committed: other threads and processes see it."""
    with django_db_blocker.unblock():
        yield put_into_service(trained_model)


def put_into_service(trained: TrainedModel) -> EvaluatedVersion:
    """The trained version in the database and artefact folder that hold now, in service with its predictions published."""
    evaluated = _put_into_database(trained)
    predictions_publish(version=evaluated.version)
    ModelVersion.objects.update(state=VersionState.ACTIVE.value)
    return evaluated


@pytest.fixture
def roomy_key(in_service) -> str:
    """A key of every scope, with limits that no test reaches."""
    client = client_create(organisation="Synthetic", audience=Audience.RESEARCH)
    _, text = api_key_create(client=client, name="contract", requests_per_minute=PLENTY, requests_per_day=PLENTY)
    return text


@pytest.fixture
def served_url(in_service, committed_database, settings) -> Iterator[str]:
    """Granian over the catalogue, with an empty cache."""
    # In the address: a number in its path goes before any argument, and another database is full of other tests.
    cache_url = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{CACHE_OF_ITS_OWN}"))
    with redis.Redis.from_url(cache_url) as cache:
        cache.flushdb()
    environment = {
        "DATABASE_URL": committed_database.url,
        "REDIS_URL": cache_url,
        "ARTEFACT_ROOT": str(settings.ARTEFACT_ROOT),
        "ANONYMOUS_REQUESTS_PER_MINUTE": str(PLENTY),
        "OMP_NUM_THREADS": "1",
    }
    application = "neurobotanica.wsgi:application"
    with granian_server(application, ready_path="/readyz", workers=1, environment=environment) as (port, _):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def copy_version(evaluated) -> Callable[..., ModelVersion]:
    """Makes further versions with a folder of their own; ``change`` may edit the copied evaluation."""

    def copy(number: int, change: Callable[[dict[str, Any]], None] | None = None, **fields: Any) -> ModelVersion:
        folder = Path(django_settings.ARTEFACT_ROOT) / "models" / f"copy-{number}"
        shutil.copytree(model_folder(evaluated.version), folder)
        path = folder / "evaluation.json"
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        if change is not None:
            change(evaluation)
        path.write_text(json.dumps(evaluation), encoding="utf-8")
        write_json(folder / "config.json", {**json.loads((folder / "config.json").read_text()), "seed": number})
        values = {name: getattr(evaluated.version, name) for name in ("preset", "data_sha256", "code_version")}
        return ModelVersion.objects.create(
            sha256=update_manifest(folder).model_sha256,
            folder=f"models/copy-{number}",
            snapshot_folder=evaluated.version.snapshot_folder,
            trained_on=evaluated.version.trained_on,
            **{**values, **fields},
        )

    return copy


@dataclass(frozen=True)
class NoisyTruth:
    """A scorer that knows the labels up to noise."""

    truth: TruthMatrix
    noise: float

    def __call__(self, snapshot, features, training, /):
        noise = np.random.default_rng(1).normal(scale=self.noise, size=self.truth.pairs.shape)
        return Scores.from_pairs(self.truth.pairs + noise)


@pytest.fixture(scope="session")
def judged(trained_model) -> EvaluationResult:
    """P1, P2 and P3 of the trained model's snapshot: a middling model beside baselines and a stronger scorer."""
    snapshot = read_snapshot(trained_model.root / trained_model.version["snapshot_folder"])
    truth = TruthMatrix.from_snapshot(snapshot)
    scorers = {
        "model": NoisyTruth(truth, 0.8),
        "popularity": BASELINES["popularity"],
        "memoriser": BASELINES["memoriser"],
        "strong": NoisyTruth(truth, 0.4),
        "rule": NoisyTruth(truth, 0.0),
    }
    features = synthetic_features(snapshot)
    result = evaluate(snapshot, features, scorers, protocols=("P1", "P2", "P3"), oracles=frozenset({"rule"}))
    return replace(
        result,
        text_abstention=measure_text_abstention(snapshot, HashEncoder(), seeds=(0,)),
        description_abstention=measure_description_abstention(snapshot, HashEncoder(), seeds=(0,)),
    )


@dataclass(frozen=True)
class Reportable:
    """A version with all that a report needs: its folder, and the evaluation that lies there, as JSON."""

    version: ModelVersion
    catalogue: TrainingCatalogue
    evaluation: dict[str, Any]
    folder: Path

    def rewrite(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the evaluation in the folder."""
        change(self.evaluation)
        (self.folder / "evaluation.json").write_text(json.dumps(self.evaluation), encoding="utf-8")


@pytest.fixture
def reportable(evaluated, judged) -> Reportable:
    """The evaluated version, judged on P1, P2 and P3."""
    folder = Path(django_settings.ARTEFACT_ROOT) / evaluated.version.folder
    made = Reportable(evaluated.version, evaluated.catalogue, json.loads(json.dumps(judged.to_dict())), folder)
    made.rewrite(lambda evaluation: None)
    return made


@pytest.fixture
def write_report(reportable, tmp_path) -> Callable[..., dict[str, str]]:
    """Runs the command on the stored evaluation; returns the contents of the three files."""

    def write(*arguments: str) -> dict[str, str]:
        folder = tmp_path / "report"
        call_command("evaluate_genomepath", "--stored", "--report", str(folder), *arguments, stdout=StringIO())
        return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}

    return write
