"""What ``evaluate_genomepath --report`` refuses, before it judges for minutes, and how it says so; ablations."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from genomepath.evaluation_report import REPORT
from genomepath.ml import judgement
from genomepath.ml.identity_permutation import Among
from genomepath.models import ExportRecord
from tests.genomepath.report_reader import interval, markdown_tables

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def judge_nothing(monkeypatch):
    """Whatever is refused is refused before the evaluation."""
    monkeypatch.setattr(judgement, "judge", lambda *args, **options: pytest.fail("judged"))


def report(*arguments: str) -> None:
    call_command("evaluate_genomepath", *arguments, "--no-progress", stdout=StringIO())


def test_a_file_is_no_folder(reportable, tmp_path):
    file = tmp_path / "file"
    file.write_text("synthetic", encoding="utf-8")

    with pytest.raises(CommandError, match="file cannot be written: File exists"):
        report("--report", str(file))

    assert file.read_text(encoding="utf-8") == "synthetic"


def test_a_folder_that_cannot_be_made_is_refused(reportable, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(CommandError, match="cannot be written: Not a directory"):
        report("--report", str(tmp_path / "file" / "below"))


def test_a_folder_that_cannot_be_written_is_refused(reportable, tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("genomepath.evaluation_report.TemporaryDirectory", refuse)

    with pytest.raises(CommandError, match="cannot be written: Permission denied"):
        report("--report", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--report", "r", "--protocols", "P0", "P1"), "--protocols lacks P2, P3"),
        (("--report", "r", "--async"), "--report and --async exclude each other"),
        (("--stored",), "--stored, --ablation, --permutation and --figures-only need --report DIR"),
        (("--ablation", "a.json"), "--stored, --ablation, --permutation and --figures-only need --report DIR"),
        (("--figures-only",), "--stored, --ablation, --permutation and --figures-only need --report DIR"),
        (("--permutation", "p.json"), "--stored, --ablation, --permutation and --figures-only need --report DIR"),
        (("--report", "r", "--stored", "--protocols", "P1", "P2", "P3"), "--stored judges nothing"),
        (("--report", "r", "--stored", "--json", "f.json"), "--stored judges nothing"),
        (("--report", "r", "--stored", "--seeds", "0"), "--stored judges nothing"),
        (("--report", "r", "--stored", "--without-conditions"), "--stored judges nothing"),
        (("--report", "r", "--stored", "--quick-calibration"), "--stored judges nothing"),
        (("--report", "r", "--ablation", "no-such.json"), "no-such.json is no ablation that can be read"),
        (("--report", "r", "--permutation", "no-such.json"), "no-such.json is no permutation test that can be read"),
    ],
)
def test_options_that_make_no_report_are_refused(arguments, message, reportable, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CommandError, match=message):
        report(*arguments)


def test_a_stored_evaluation_without_a_protocol_is_refused_by_its_name(reportable, tmp_path):
    reportable.rewrite(lambda evaluation: evaluation["protocols"].pop("P3"))

    with pytest.raises(CommandError, match=r"needs the protocols P1, P2 and P3; the evaluation lacks P3\."):
        report("--stored", "--report", str(tmp_path / "report"))

    assert not list((tmp_path / "report").iterdir())
    assert not ExportRecord.objects.exists()


def test_a_version_that_was_never_judged_is_refused(reportable, tmp_path):
    (reportable.folder / "evaluation.json").unlink()

    with pytest.raises(CommandError, match="has no evaluation that can be read"):
        report("--stored", "--report", str(tmp_path / "report"))


def test_a_version_whose_snapshot_is_gone_is_refused(reportable, tmp_path):
    (reportable.folder.parents[1] / reportable.version.snapshot_folder / "manifest.json").unlink()

    with pytest.raises(CommandError, match="snapshot of this model version is gone or damaged"):
        report("--stored", "--report", str(tmp_path / "report"))


def test_an_ablation_of_other_data_is_refused(reportable, tmp_path):
    file = tmp_path / "ablation.json"
    file.write_text(json.dumps({**reportable.evaluation, "preset": "small", "data_sha256": "0" * 64}), encoding="utf-8")

    with pytest.raises(CommandError, match="The ablation is of other data than the evaluation"):
        report("--stored", "--report", str(tmp_path / "report"), "--ablation", str(file))


@pytest.mark.parametrize("content", ["no JSON", "[]", "{}", '{"schema": 1}'])
def test_a_file_that_holds_no_ablation_is_refused(content, reportable, tmp_path):
    file = tmp_path / "ablation.json"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(CommandError, match="is no ablation that can be read"):
        report("--report", str(tmp_path / "report"), "--ablation", str(file))


def test_an_ablation_stands_in_the_report_with_its_figures(reportable, tmp_path):
    file = tmp_path / "ablation.json"
    file.write_text(json.dumps({**reportable.evaluation, "preset": "small"}), encoding="utf-8")

    report("--stored", "--report", str(tmp_path / "report"), "--ablation", str(file))

    text = (tmp_path / "report" / REPORT).read_text(encoding="utf-8")
    assert "Preset small, seeds 0: the model without each of its parts" in text
    tables = markdown_tables(text)
    rows = {row[0]: row[1:] for row in tables["Variants on P1, percent with 95% intervals"]}
    strong = reportable.evaluation["protocols"]["P1"]["scorers"]["strong"]["directions"]["tk_to_genomic"]
    assert rows["strong"][:2] == [interval(strong["accuracy"]["5"]), interval(strong["mrr"])]
    assert rows["strong"][2].startswith("-")


def test_without_an_ablation_the_report_says_that_none_was_given(reportable, tmp_path):
    report("--stored", "--report", str(tmp_path / "report"))

    assert "No ablation was given" in (tmp_path / "report" / REPORT).read_text(encoding="utf-8")


def permutation_of(data_sha256: str) -> dict[str, object]:
    """A permutation test of two numbers, the second outside."""
    row = {
        "protocol": "P2",
        "direction": "genomic_to_tk",
        "among": Among.UNSEEN.value,
        "chance": 0.5,
        "deviation": 0.05,
    }
    rows = [{**row, "metric": "mrr", "value": 0.52}, {**row, "metric": "accuracy", "value": 0.7}]
    return {"data_sha256": data_sha256, "preset": "small", "seeds": [0, 1], "rows": rows}


def test_a_permutation_test_stands_in_the_report_with_its_verdicts(reportable, tmp_path):
    file = tmp_path / "permutation.json"
    file.write_text(json.dumps(permutation_of(reportable.evaluation["data_sha256"])), encoding="utf-8")

    report("--stored", "--report", str(tmp_path / "report"), "--permutation", str(file))

    text = (tmp_path / "report" / REPORT).read_text(encoding="utf-8")
    assert "Preset small, seeds 0, 1, all folds" in text
    assert "Of 2 numbers 1 lie within." in text
    assert markdown_tables(text)["With permuted identities, percent"][1:] == [
        ["P2 G→TK MRR", "the whole catalogue", "52.0", "50.0 [40.2, 59.8]", "within"],
        ["P2 G→TK accuracy@3", "the whole catalogue", "70.0", "50.0 [40.2, 59.8]", "OUTSIDE"],
    ]


def test_a_permutation_test_of_other_data_is_refused(reportable, tmp_path):
    file = tmp_path / "permutation.json"
    file.write_text(json.dumps(permutation_of("0" * 64)), encoding="utf-8")

    with pytest.raises(CommandError, match="The permutation test is of other data than the evaluation"):
        report("--stored", "--report", str(tmp_path / "report"), "--permutation", str(file))


@pytest.mark.parametrize(
    "content", ["no JSON", "[]", "{}", '{"data_sha256": "a", "preset": "b", "seeds": [0], "rows": [{}]}']
)
def test_a_file_that_holds_no_permutation_test_is_refused(content, reportable, tmp_path):
    file = tmp_path / "permutation.json"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(CommandError, match="is no permutation test that can be read"):
        report("--report", str(tmp_path / "report"), "--permutation", str(file))


def test_without_a_permutation_test_the_report_says_that_none_was_given(reportable, tmp_path):
    report("--stored", "--report", str(tmp_path / "report"))

    assert "No permutation test was given" in (tmp_path / "report" / REPORT).read_text(encoding="utf-8")
