"""The commands that train, evaluate and promote: what they print, refuse, and return."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from tqdm import tqdm

from correlations.models import Correlation
from ethics.models import AuditEvent
from genomepath.artefacts import artefact_root, model_folder
from genomepath.management.commands import evaluate_genomepath
from genomepath.ml.checkpoint import update_manifest
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.registry import model_promote
from genomepath.run_execution import run_execute
from genomepath.runs import heartbeat_limit, run_request
from tests.factories import make_model_version, make_training_catalogue
from tests.genomepath.gate_evaluations import ranks_every_pair
from tests.genomepath.own_broker import own_broker
from tests.service_home import PROJECT_ROOT

pytestmark = pytest.mark.django_db
COMMANDS = ("train_genomepath", "evaluate_genomepath", "promote_model", "export_training_set")


def printed(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False,
        cwd=PROJECT_ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does(command, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command(command, "--help")

    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train_genomepath", "--preset", "huge"), 1, "invalid choice: 'huge'"),
        (("train_genomepath", "--seed", "-1"), 1, "--seed must not be negative"),
        (("export_training_set",), 1, "required: DIR"),
        (("promote_model", "--help"), 0, ""),
    ],
)
def test_the_exit_code_tells_success_from_failure(arguments, code, message):
    ended = manage(*arguments)

    assert bool(ended.returncode) == bool(code), ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("train_genomepath", ("--epochs", "0"), "epochs must be a positive integer"),
        ("train_genomepath", ("--epochs", "-3"), "epochs must be a positive integer"),
        ("train_genomepath", ("--seed", "99999999999"), "less than or equal to"),
        ("train_genomepath", ("--resume", "no-such-run"), "No training run starts with 'no-such-run'"),
        ("train_genomepath", ("--resume", "x", "--async"), "--resume goes on here and now"),
        *(
            ("train_genomepath", ("--resume", "x", *options), f"leave {options[0]} out")
            for options in (("--seed", "0"), ("--preset", "spec"), ("--epochs", "50"), ("--include-drafts",))
        ),
        ("train_genomepath", ("--resume", ""), "No training run starts with ''"),
        ("train_genomepath", ("--preset", "small"), "No correlation may be used for training"),
        ("evaluate_genomepath", (), "There is no model version yet"),
        ("evaluate_genomepath", ("--model", "abc"), "No model version starts with 'abc'"),
        ("evaluate_genomepath", ("--protocols", "P7"), "invalid choice: 'P7'"),
        ("evaluate_genomepath", ("--seeds", "-1"), "--seeds must not be negative"),
        ("evaluate_genomepath", ("--json", "no/such/folder/f.json"), "cannot be written"),
        ("evaluate_genomepath", ("--json", "."), "cannot be written"),
        ("evaluate_genomepath", ("--json", "f.json", "--async"), "exclude each other"),
        ("promote_model", (), "There is no model version yet"),
        ("promote_model", ("--model", "%"), "No model version starts with '%'"),
    ],
)
def test_bad_input_is_a_clear_error(command, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CommandError, match=message):
        printed(command, *arguments, *([] if command == "promote_model" else ["--no-progress"]))


def test_an_evaluation_whose_file_cannot_be_written_says_where_it_is_kept(evaluated, tmp_path, monkeypatch):
    file, output = tmp_path / "gone" / "evaluation.json", StringIO()
    file.parent.mkdir()
    monkeypatch.setattr(evaluate_genomepath, "run_start", lambda **request: file.parent.rmdir())

    with pytest.raises(CommandError, match=r"Evaluated, but .* could not be written: No such file") as refused:
        call_command("evaluate_genomepath", "--json", str(file), stdout=output)
    assert str(model_folder(evaluated.version)) in str(refused.value)
    assert "popularity" in output.getvalue()


def test_an_ambiguous_version_is_refused():
    make_model_version(sha256="a" * 64, state="candidate")
    make_model_version(sha256="a" * 63 + "b", state="candidate")

    with pytest.raises(CommandError, match="More than one model version starts with 'aaa'"):
        printed("promote_model", "--model", "aaa")


def test_training_prints_run_and_model_as_json(trained_model):
    facts = json.loads(trained_model.train_output)

    assert facts == {
        "run": str(trained_model.training_run["public_id"]),
        "state": "succeeded",
        "model": trained_model.version["sha256"],
        "data_sha256": trained_model.version["data_sha256"],
    }
    assert (trained_model.version["state"], trained_model.version["preset"]) == ("candidate", "small")
    assert (trained_model.training_run["progress_done"], trained_model.training_run["progress_total"]) == (3, 3)


def test_a_training_says_that_it_calibrates_when_its_epochs_are_done(trained_model):
    lines = trained_model.training_run["log"].splitlines()

    epoch = next(number for number, line in enumerate(lines) if "Epoch 3" in line)
    assert [line.split(" ", 1)[1] for line in lines[epoch + 1 : epoch + 8]] == [
        f"Calibrates: fit {part} of 7." for part in range(1, 8)
    ]


def test_a_trained_folder_is_complete_and_holds_no_pickle(trained_model):
    folder = trained_model.root / trained_model.version["folder"]

    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "catalogue.json", "calibration.json", "history.jsonl"} <= names
    assert {"tensorboard", "evaluation.json", "evaluation.md", "onnx_parity.json", "manifest.json"} <= names
    assert any(name.endswith(".onnx") for name in names)
    assert not [path for path in trained_model.root.rglob("*") if path.suffix in {".pkl", ".pt", ".pth", ".bin"}]


def test_an_evaluation_holds_p0_and_p1_with_baselines_chance_and_intervals(trained_model):
    protocols = trained_model.evaluation["protocols"]

    assert set(protocols) == {"P0", "P1"}
    for protocol in protocols.values():
        rows = {
            "popularity",
            "memoriser",
            "zero-shot cosine",
            "logistic regression",
            trained_model.evaluation["subject"],
        }
        assert rows <= set(protocol["scorers"])
        assert set(protocol["chance"]["mrr"]) == {"tk_to_genomic", "genomic_to_tk"}
        for scorer in protocol["scorers"].values():
            for direction in scorer["directions"].values():
                assert direction["mrr"]["low"] <= direction["mrr"]["value"] <= direction["mrr"]["high"]
                assert {"1", "3", "5", "10"} <= set(direction["accuracy"])


def test_p1_judges_every_pair_once_on_folds_that_did_not_see_it(trained_model):
    evaluation = trained_model.evaluation

    outcomes = [(row["practice"], row["target"]) for row in evaluation["protocols"]["P1"]["outcomes"]]
    assert len(outcomes) == len(set(outcomes)) == evaluation["pairs"]
    assert len(evaluation["leakage_checks"]) >= 3


def test_the_copy_of_an_evaluation_holds_every_figure_and_names_no_practice(trained_model):
    slugs = [f"training-practice-{index}" for index in range(12)]
    whole = json.loads(json.dumps(trained_model.evaluation))
    for protocol in whole["protocols"].values():
        del protocol["outcomes"]

    assert trained_model.figures == whole
    assert not [slug for slug in slugs if slug in json.dumps(trained_model.figures) + trained_model.evaluate_output]


def test_the_printed_report_says_plainly_where_the_model_loses(trained_model):
    report = trained_model.evaluate_output
    differences = trained_model.evaluation["protocols"]["P1"]["differences"]
    beaten_by = sorted(
        name for name, ways in differences.items() if any((cell["value"] or 0) < 0 for cell in ways.values())
    )

    assert beaten_by, "three epochs do not beat every baseline"
    assert "chance" in report
    losses = [line for line in report.splitlines() if "loses" in line.lower() or "worse" in line.lower()]
    assert losses
    assert all(any(name in line for line in report.splitlines()) for name in beaten_by)


def test_promotion_prints_every_rule(evaluated):
    report = printed("promote_model", "--model", evaluated.version.sha256[:10])

    assert f"Model version {evaluated.version.sha256[:12]} is in service." in report
    for rule in ("leakage checks", "ethics scan", "attribution", "ONNX parity", "better than popularity"):
        assert f"  {rule}: " in report
    event = AuditEvent.objects.get(event_type="model.promoted")
    assert event.actor_role == "command"


def test_promotion_prints_the_decision_as_json(evaluated):
    decision = json.loads(printed("promote_model", "--json"))

    assert decision["model"] == evaluated.version.sha256
    assert decision["passed"] is True
    assert ModelVersion.objects.get().state == "active"


def test_a_refused_promotion_is_an_error_that_names_the_rule(evaluated):
    (model_folder(evaluated.version) / "onnx_parity.json").unlink()
    update_manifest(model_folder(evaluated.version))

    with pytest.raises(CommandError, match="ONNX parity: not measured"):
        printed("promote_model")

    assert ModelVersion.objects.get().state == "candidate"


def test_a_rollback_goes_back_to_the_version_last_in_service(copy_version):
    first, second = copy_version(1, ranks_every_pair(0.5)), copy_version(2, ranks_every_pair(0.9))
    for version in (first, second):
        model_promote(version=version, promoted_by="engineer")

    assert printed("promote_model", "--rollback") == f"Model version {first.sha256[:12]} is in service again.\n"

    assert ModelVersion.objects.get(state="active") == first
    assert AuditEvent.objects.get(event_type="model.rolled_back").actor_role == "command"


def test_a_rollback_to_a_named_version_is_printed_as_json(copy_version):
    versions = [copy_version(number, ranks_every_pair(0.5)) for number in (1, 2, 3)]
    for version in versions:
        model_promote(version=version, promoted_by="engineer")

    answer = json.loads(printed("promote_model", "--rollback", "--model", versions[0].sha256[:12], "--json"))

    assert answer == {"model": versions[0].sha256, "provisional": False}


def test_a_rollback_with_nothing_to_go_back_to_is_an_error(evaluated):
    model_promote(version=evaluated.version, promoted_by="engineer")

    with pytest.raises(CommandError, match="There is no model version to go back to"):
        printed("promote_model", "--rollback")


@pytest.mark.parametrize(("command", "kind"), [("train_genomepath", "training"), ("evaluate_genomepath", "evaluation")])
def test_async_hands_the_run_to_the_worker_and_returns(command, kind, django_capture_on_commit_callbacks):
    if kind == "evaluation":
        make_model_version()
    with own_broker() as broker, django_capture_on_commit_callbacks(execute=True):
        report = printed(command, "--async")

    run = TrainingRun.objects.get()
    assert (run.kind, run.state, run.requested_role) == (kind, "queued", "command")
    assert report == f"Run {run.public_id} waits for the ML worker.\n"
    assert broker.key_prefix


def test_a_failed_training_is_an_error_with_its_cause(tmp_path):
    catalogue = make_training_catalogue(practices=2, targets=3)
    Correlation.objects.exclude(practice=catalogue.practices[0]).delete()

    with pytest.raises(CommandError, match=r"The training failed: .* too few"):
        printed("train_genomepath", "--preset", "small", "--epochs", "1", "--no-progress")

    assert TrainingRun.objects.get().state == "failed"


def interrupted_training() -> TrainingRun:
    """A training that was cut off after two of its three epochs, as a killed process leaves it."""
    run = run_request(
        kind=RunKind.TRAINING,
        preset="small",
        requested_by="engineer",
        parameters={"hyperparameters": {"epochs": 3, "state_every": 1}},
        enqueue=False,
    )

    def stop_after_two(done: int, total: int, message: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_execute(public_id=run.public_id, observer=stop_after_two)
    long_ago = timezone.now() - heartbeat_limit() * 2
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=long_ago)
    return run


def test_a_training_that_was_cut_off_is_resumed_and_gives_the_weights_of_an_uninterrupted_one(trained_model):
    make_training_catalogue()
    run = interrupted_training()

    facts = json.loads(printed("train_genomepath", "--resume", str(run.public_id)[:8], "--json", "--no-progress"))

    run.refresh_from_db()
    assert (facts["state"], run.attempt) == ("succeeded", 2)
    uninterrupted = trained_model.root / trained_model.version["folder"] / "model.safetensors"
    assert run.model_version is not None
    resumed = artefact_root() / run.model_version.folder / "model.safetensors"
    assert resumed.read_bytes() == uninterrupted.read_bytes()
    epochs = [line.split("Epoch ")[1][0] for line in run.log.splitlines() if "Epoch " in line]
    assert epochs.count("1") == 1


def test_ctrl_c_cancels_the_run_so_that_no_worker_goes_on_with_it(monkeypatch):
    make_training_catalogue()
    monkeypatch.setattr("genomepath.run_command.tqdm", _InterruptedBar)

    with pytest.raises(CommandError, match=r"Stopped\. Go on with: train_genomepath --resume"):
        printed("train_genomepath", "--preset", "small", "--epochs", "2", "--no-progress")

    assert TrainingRun.objects.get().state == "cancelled"


class _InterruptedBar(tqdm):
    """A person presses Ctrl-C at the first report."""

    def update(self, n: float = 1) -> None:
        raise KeyboardInterrupt
