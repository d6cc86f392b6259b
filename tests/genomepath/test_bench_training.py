"""`manage.py bench_training` compares two trainings of equal steps, and both learn."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from genomepath.management.commands.bench_training import Command
from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.splits import stratified_pair_split
from genomepath.ml.training_bench import BenchInputs, measure_training
from tests.factories import make_training_catalogue
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

REPORT = {
    "preset": "small", "correlations": 9, "epochs": 1, "whole_seconds": 1.0, "whole_cpu_seconds": 1.0, "times": 10.0,
    "peak_mib": 1.0, "peak_mib_by_rows": 1.0, "equal_quality": True,
    "rows": {"steps": 1, "seconds": 1.0, "mrr": 0.5}, "correlation_by_correlation": {"steps": 1, "seconds": 1.0, "mrr": 0.5},
}  # fmt: skip


def test_both_take_the_same_steps_and_learn_about_the_same():
    snapshot = synthetic_snapshot(practices=16, targets=12)
    truth = TruthMatrix.from_snapshot(snapshot)
    inputs = BenchInputs(
        synthetic_features(snapshot), truth, stratified_pair_split(truth, 0), preset_config("small", epochs=3), seed=0
    )

    report = measure_training(inputs, loop_epochs=3, tell=lambda text: None)

    rows, loop = report["rows"], report["correlation_by_correlation"]
    assert rows["steps"] == loop["steps"] == 3 * 2, "48 practice-dose rows, 32 a step"
    assert report["times"] > 1
    assert report["times"] == pytest.approx(loop["seconds_a_step"] / rows["seconds_a_step"], abs=0.1)
    assert abs(report["mrr_difference"]) < 0.25
    assert 0 < report["peak_mib_by_rows"] <= report["peak_mib"]


@pytest.mark.django_db
def test_the_command_writes_what_it_prints(tmp_path):
    make_training_catalogue()
    output, file = StringIO(), tmp_path / "bench.json"
    options = ["--preset", "small", "--epochs", "2", "--loop-epochs", "1", "--json", str(file)]

    try:
        call_command("bench_training", *options, stdout=output, stderr=StringIO())
    except CommandError as error:  # two epochs on a dozen practices may end anywhere
        assert "lower MRR" in str(error)

    report = json.loads(file.read_text(encoding="utf-8"))
    assert (report["preset"], report["epochs"]) == ("small", 2)
    assert f"{report['times']:.1f} (10 wanted)" in output.getvalue()
    assert "peak memory" in output.getvalue()


@pytest.mark.django_db
def test_without_data_it_says_so():
    with pytest.raises(CommandError, match="No correlation may be used for training"):
        call_command("bench_training", stdout=StringIO(), stderr=StringIO())


@pytest.mark.django_db
def test_too_little_data_is_a_clear_error():
    make_training_catalogue(practices=2, targets=3)

    with pytest.raises(CommandError, match=r"Nothing was measured: .* too few"):
        call_command("bench_training", "--preset", "small", stdout=StringIO(), stderr=StringIO())


@pytest.mark.django_db
def test_a_report_that_could_not_be_written_stands_printed(tmp_path, monkeypatch):
    make_training_catalogue()
    output, file = StringIO(), tmp_path / "gone" / "bench.json"
    file.parent.mkdir()

    def measure(command: Command, options: dict[str, Any]) -> dict[str, Any]:
        file.parent.rmdir()
        return REPORT

    monkeypatch.setattr(Command, "_measure", measure)

    with pytest.raises(CommandError, match=r"Measured, but .* could not be written: No such file"):
        call_command("bench_training", "--json", str(file), stdout=output)
    assert "peak memory" in output.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        ["--epochs", "0"],
        ["--loop-epochs", "501"],
        ["--seed", "-1"],
        ["--json", "/no/such/folder/x.json"],
        ["--json", "."],
    ],
)
def test_bad_options_are_refused(options):
    with pytest.raises(CommandError, match=r"must|no folder|is a folder"):
        call_command("bench_training", *options, stdout=StringIO(), stderr=StringIO())
