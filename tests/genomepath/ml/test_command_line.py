"""What the ablation and the permutation test refuse before their long work, and how they end where they can't go on."""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import NoReturn

import pytest

from genomepath.ml import ablation, permutation_test
from genomepath.ml.command_line import PROTOCOLS, add_judging_options, judging_options, output_fault
from genomepath.ml.config import preset_config
from genomepath.ml.leakage import LeakageError
from genomepath.ml.snapshot import write_snapshot
from tests.genomepath.ml.synthetic import synthetic_snapshot

both = pytest.mark.parametrize("command", [ablation, permutation_test], ids=["ablation", "permutation_test"])


@pytest.fixture(autouse=True)
def no_work(monkeypatch) -> None:
    """Whoever begins to encode texts has found nothing to refuse."""

    def begun() -> NoReturn:
        raise AssertionError("the work has begun")

    for command in (ablation, permutation_test):
        monkeypatch.setattr(command, "MiniLMEncoder", begun)


@pytest.fixture
def snapshot_folder(tmp_path):
    """A snapshot that is large enough."""
    write_snapshot(synthetic_snapshot(practices=20, targets=16), tmp_path / "snapshot", code_version="test")
    return tmp_path / "snapshot"


def refusal(command: ModuleType, capsys, *arguments: object) -> str:
    """The one line that the command ends with."""
    with pytest.raises(SystemExit) as ended:
        command.main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    last: str = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"python -m {command.__name__}: error: ")
    return last


@both
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "-1"], "'-1' is no seed"),
        (["--seeds", "0", "x"], "'x' is no seed"),
        (["--seeds", "2147483648"], "is no seed"),
        (["--json", "."], ". cannot be written: it is a folder."),
        (["--json", "no/such/folder/x.json"], "there is no folder no/such/folder"),
        (["--json", "a-file/x.json"], "there is no folder a-file"),
        (["--json", "x" * 300], "cannot be written"),
        (["--protocols", "P7"], "invalid choice: 'P7'"),
    ],
)
def test_bad_options_are_refused_before_the_work(command, options, message, snapshot_folder, monkeypatch, capsys):
    monkeypatch.chdir(snapshot_folder.parent)
    (snapshot_folder.parent / "a-file").touch()

    assert message in refusal(command, capsys, snapshot_folder, *options)


@both
def test_a_folder_that_is_no_snapshot_is_named(command, tmp_path, capsys):
    assert f"{tmp_path} is not a readable snapshot" in refusal(command, capsys, tmp_path)


@both
def test_too_little_data_is_told_before_the_work(command, tmp_path, capsys):
    write_snapshot(synthetic_snapshot(practices=2, targets=2), tmp_path, code_version="test")

    assert "P2: too little data" in refusal(command, capsys, tmp_path, "--protocols", "P2")


@both
def test_what_stops_the_work_is_told_in_one_line(command, snapshot_folder, monkeypatch, capsys):
    def leaks(*arguments: object, **options: object) -> NoReturn:
        raise LeakageError("P1: both sides share pairs")

    monkeypatch.setattr(command, "MiniLMEncoder", leaks)

    assert refusal(command, capsys, snapshot_folder).endswith("error: P1: both sides share pairs")


def test_seeds_and_protocols_count_once():
    parser = argparse.ArgumentParser()
    add_judging_options(parser, protocols=PROTOCOLS, report_option="--x")

    options = judging_options(parser, ["folder", "--seeds", "1", "0", "1", "--protocols", "P3", "P1", "P3"])

    assert (options.seeds, options.protocols) == ([1, 0], ("P3", "P1"))


def test_looking_whether_a_file_can_be_written_leaves_nothing(tmp_path):
    assert output_fault(tmp_path / "x.json") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_variant_is_refused(snapshot_folder, capsys):
    assert "invalid choice: 'typo'" in refusal(ablation, capsys, snapshot_folder, "--only", "typo")


def test_a_choice_of_variants_never_leaves_the_model_out():
    chosen = ablation.scorers(preset_config("small"), ["towers alone"])

    assert list(chosen) == ["model", "towers alone", "pair-feature stacker"]
