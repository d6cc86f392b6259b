"""What is withheld is in nothing that a training, an export or a command leaves behind."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from correlations.models import Practice
from correlations.vocabulary import ReviewStatus
from ethics.models import AuditEvent
from ethics.policy import Audience
from genomepath.artefacts import artefact_root, model_folder
from genomepath.ethics_scan import scan_folders
from genomepath.models import Prediction, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind, RunState
from genomepath.publication import predictions_publish
from genomepath.run_execution import run_execute
from genomepath.runs import run_request
from tests.factories import make_correlation, make_model_version, make_practice, make_synergy, make_target
from tests.governance.canaries import canaries_of, plant_every_kind, plant_sacred_names
from tests.governance.surfaces import cache_surfaces, leaks, leaks_in_folders

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue():
    """A catalogue that can be trained on, practices out of use of every kind beside it, and their canaries."""
    targets = [make_target(f"SYN{number}") for number in range(8)]
    for row in range(10):
        practice = make_practice(slug=f"open-practice-{row}", preparation=f"synthetic preparation {row % 3}")
        for column, target in enumerate(targets):
            if (row * 3 + column * 5) % 4 < 2:
                make_correlation(practice, target, dose=("low", "medium", "high")[(row + column) % 3])
    make_synergy(targets[0], targets[1])
    planted = plant_every_kind(targets[0])
    planted[1].correlation.status = ReviewStatus.DRAFT.value
    planted[1].correlation.save()
    return planted, canaries_of(planted) | plant_sacred_names()


def _train(include_drafts: bool = False) -> TrainingRun:
    run = run_request(
        kind=RunKind.TRAINING,
        preset="small",
        include_drafts=include_drafts,
        parameters={"hyperparameters": {"epochs": 2, "metrics_every": 1}},
        requested_by="test",
        enqueue=False,
    )
    return run_execute(public_id=run.public_id)


def test_nothing_withheld_is_in_snapshot_model_logs_predictions_or_commands(catalogue, caplog) -> None:
    planted, canaries = catalogue
    caplog.set_level(logging.DEBUG)

    run = _train(include_drafts=True)
    assert run.state == RunState.SUCCEEDED, run.error
    version = run.model_version
    assert version is not None
    predictions_publish(version=version)
    version.state = VersionState.ACTIVE.value
    version.save()
    surfaces = {
        "run": f"{run.log}\n{run.message}\n{run.error}\n{run.parameters}".encode(),
        "version": f"{version.metrics}\n{version.gate}".encode(),
        **_predict_outputs([entry.practice.slug for entry in planted]),
        **cache_surfaces(),
    }
    surfaces["log"] = caplog.text.encode()

    written = {path.suffix for path in artefact_root().rglob("*") if path.is_file()}
    assert {".jsonl", ".json", ".safetensors", ".onnx"} <= written
    assert any("tfevents" in path.name for path in artefact_root().rglob("*"))
    assert leaks(surfaces, canaries) == []
    assert leaks_in_folders([artefact_root()], canaries) == []
    assert scan_folders([model_folder(version), artefact_root() / version.snapshot_folder]) == []
    withheld = Practice.objects.filter(pk__in=[entry.practice.pk for entry in planted])
    assert not Prediction.objects.filter(practice__in=withheld).exists()
    assert Prediction.objects.exists()
    assert not {entry.practice.item.public_id for entry in planted} & set(version.trained_on)


def _predict_outputs(slugs: list[str]) -> dict[str, bytes]:
    outputs = {}
    for audience in (Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY):
        for option in ("--practice=open-practice-0", "--gene=SYN0", "--gene=SYN1"):
            out = io.StringIO()
            call_command("predict", option, f"--audience={audience.value}", stdout=out)
            outputs[f"predict {option} {audience.value}"] = out.getvalue().encode()
    for number, slug in enumerate(slugs):
        with pytest.raises(CommandError) as raised:
            call_command("predict", f"--practice={slug}")
        # The person who typed a name may read it again.
        outputs[f"predict withheld {number}"] = str(raised.value).replace(slug, "").encode()
    return outputs


def test_nothing_withheld_is_in_an_evaluation_its_report_or_in_the_answer_to_a_text_about_it(
    catalogue, tmp_path: Path
) -> None:
    planted, canaries = catalogue
    version = _train().model_version
    assert version is not None
    out = io.StringIO()
    arguments = ("--workers", "1", "--no-progress", "--report", str(tmp_path / "report"))
    call_command("evaluate_genomepath", "--json", str(tmp_path / "evaluation.json"), *arguments, stdout=out)
    version.state = VersionState.ACTIVE.value
    version.save()
    for place, entry in enumerate(planted):
        file = tmp_path.with_name(f"{tmp_path.name}-{place}.txt")
        file.write_text(f"A synthetic preparation, {entry.practice.title}", encoding="utf-8")
        call_command("predict", "--text", str(file), stdout=out)

    assert out.getvalue().count("No answer can be given for this text.") == len(planted)
    assert any(path.name == "evaluation.json" for path in model_folder(version).iterdir())
    assert {path.suffix for path in (tmp_path / "report").iterdir()} == {".md", ".html"}
    assert leaks_in_folders([artefact_root(), tmp_path], canaries) == []
    assert leaks({"output": out.getvalue().encode(), **cache_surfaces()}, canaries) == []
    assert AuditEvent.objects.filter(event_type="text.withheld").count() == len(planted)


def test_the_command_answers_withheld_as_absent(catalogue) -> None:
    planted, _ = catalogue
    make_model_version()
    answers = set()
    for slug in ("no-such-practice", *(entry.practice.slug for entry in planted)):
        with pytest.raises(CommandError) as raised:
            call_command("predict", f"--practice={slug}")
        answers.add(str(raised.value).replace(slug, "..."))
    assert len(answers) == 1


@pytest.mark.parametrize("drafts", [[], ["--include-drafts"]], ids=["approved", "with drafts"])
def test_nothing_withheld_is_in_an_exported_training_set(drafts: list[str], catalogue, tmp_path: Path) -> None:
    _, canaries = catalogue
    out = io.StringIO()
    call_command("export_training_set", str(tmp_path / "export"), "--json", *drafts, stdout=out)
    assert {path.suffix for path in (tmp_path / "export").iterdir()} >= {".jsonl", ".json", ".safetensors"}
    assert leaks_in_folders([tmp_path], canaries) == []
    assert leaks({"output": out.getvalue().encode()}, canaries) == []


def test_what_was_left_out_and_why_stands_in_the_event_alone(catalogue, tmp_path: Path) -> None:
    planted, canaries = catalogue
    call_command("export_training_set", str(tmp_path / "export"), stdout=io.StringIO())
    event = AuditEvent.objects.filter(event_type="snapshot.exported").latest("id")
    for entry in planted:
        public_id = str(entry.practice.item.public_id)
        assert any(excluded.startswith(f"{public_id}:") for excluded in event.details["excluded"])
        assert leaks_in_folders([tmp_path], {public_id: next(iter(canaries.values()))}) == []


def test_no_event_holds_a_withheld_text(catalogue, tmp_path: Path) -> None:
    _, canaries = catalogue
    call_command("export_training_set", str(tmp_path / "export"), stdout=io.StringIO())
    events = {f"event {event.event_type}": event.canonical.encode() for event in AuditEvent.objects.all()}
    assert events
    assert leaks(events, canaries) == []


def test_a_leaking_export_is_found(catalogue, tmp_path: Path) -> None:
    planted, canaries = catalogue
    call_command("export_training_set", str(tmp_path / "export"), stdout=io.StringIO())
    with (tmp_path / "export" / "practices.jsonl").open("a") as lines:
        lines.write(f'{{"slug": "{planted[0].practice.slug}"}}\n')
    assert leaks_in_folders([tmp_path], canaries)
    assert scan_folders([tmp_path])
