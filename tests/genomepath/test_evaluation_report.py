"""``evaluate_genomepath --report``: every figure comes from the evaluation, and where the model loses is said plainly."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from genomepath.evaluation_report import CARD, PAGE, REPORT
from genomepath.ml import judgement
from tests.genomepath.report_reader import interval, markdown_tables, page_tables

pytestmark = pytest.mark.django_db
WAYS = {"tk_to_genomic": "TK→G", "genomic_to_tk": "G→TK"}
CUTOFFS = ("1", "3", "5", "10")


def by_name(rows: list[list[str]]) -> dict[str, list[str]]:
    return {name.removesuffix(" (oracle, not compared)"): cells for name, *cells in rows[1:]}


def section(report: str, title: str) -> str:
    return report.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def test_report_page_and_card_are_written_and_nothing_else(write_report):
    assert sorted(write_report()) == sorted([REPORT, PAGE, CARD])


def test_every_ranking_figure_is_that_of_the_evaluation(write_report, reportable):
    tables = markdown_tables(write_report()[REPORT])

    for protocol, result in reportable.evaluation["protocols"].items():
        for way, arrow in WAYS.items():
            rows = by_name(tables[f"{arrow} on {protocol}"])
            expected = {
                name: [
                    *(interval(row["directions"][way]["accuracy"][k]) for k in CUTOFFS),
                    interval(row["directions"][way]["mrr"]),
                ]
                for name, row in result["scorers"].items()
            }
            chance = [result["chance"]["accuracy"][way][k] for k in CUTOFFS] + [result["chance"]["mrr"][way]]
            assert rows == {**expected, "chance": [f"{100 * value:.1f}" for value in chance]}


def test_calibration_consistency_dose_and_synergy_figures_are_those_of_the_evaluation(write_report, reportable):
    tables = markdown_tables(write_report()[REPORT])

    for protocol, result in reportable.evaluation["protocols"].items():
        own = result["scorers"]["model"]
        cells = [own["directions"][way][metric] for way in WAYS for metric in ("ece", "brier")]
        calibration = tables[f"Calibration error on {protocol}, percent with 95% intervals"]
        assert by_name(calibration)["model"] == [interval(cell) for cell in cells]
        both = [interval(own["consistency"]), interval(own["consistency_joint"])]
        assert by_name(tables[f"Both directions on {protocol}"])["model"] == both
        for dose, recall in own["dose_recall"].items():
            at_dose = by_name(tables[f"Recall at the {dose} dose on {protocol}"])
            assert at_dose["model"] == [interval(recall[k]) for k in ("5", "8", "10")]
        synergy = by_name(tables[f"Synergy recognition on {protocol}, percent"])["model"]
        assert synergy[0] == str(own["synergy"]["instances"])
        assert synergy[1] == f"{100 * own['synergy']['recall']:.1f}"


def test_the_main_table_of_report_and_card_is_that_of_the_evaluation(write_report, reportable):
    files = write_report()
    own = reportable.evaluation["protocols"]["P2"]["scorers"]["model"]["directions"]
    forward, backward = own["tk_to_genomic"], own["genomic_to_tk"]

    for name in (REPORT, CARD):
        rows = by_name(markdown_tables(files[name])["P2: unseen practices"])
        assert rows["model"] == [
            *map(interval, (forward["accuracy"]["5"], forward["mrr"])),
            *map(interval, (backward["accuracy"]["3"], backward["mrr"])),
        ]
        assert list(rows)[-1] == "chance"


def test_reliability_diagrams_have_a_table_of_their_bins(write_report, reportable):
    tables = markdown_tables(write_report()[REPORT])

    for protocol, result in reportable.evaluation["protocols"].items():
        for way, arrow in WAYS.items():
            bins = result["scorers"]["model"]["directions"][way]["reliability"]
            rows = tables[f"Reliability {arrow} on {protocol}"][1:]
            assert [row[1:] for row in rows] == [
                [f"{100 * cell['mean_probability']:.1f}", f"{100 * cell['observed_rate']:.1f}", str(cell["count"])]
                for cell in bins
            ]


def test_learning_curves_come_from_the_history_of_the_version(write_report, reportable):
    lines = (reportable.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    history = [json.loads(line) for line in lines]

    rows = markdown_tables(write_report()[REPORT])["Loss: binary cross-entropy by epoch"][1:]

    assert rows == [[str(row["epoch"]), f"{row['train_loss']:.4f}", f"{row['validation_loss']:.4f}"] for row in history]


def test_a_version_without_a_history_says_so(write_report, reportable):
    (reportable.folder / "history.jsonl").unlink()

    assert "left no training history" in section(write_report()[REPORT], "Learning curves")


def test_drafts_that_a_version_was_trained_on_are_told_by_report_and_card(write_report, reportable):
    reportable.version.include_drafts = True
    reportable.version.save()
    files = write_report()

    for name in (REPORT, CARD):
        assert "drafts and those under review, were included" in files[name]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [(3, "calibrated on 3 parts of the training side"), (0, "calibrated on them"), (None, "calibrated on them")],
)
def test_what_calibrates_comes_from_the_configuration_of_the_version(write_report, reportable, parts, sentence):
    file = reportable.folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    del config["hyperparameters"]["calibration_parts"]
    if parts is not None:
        config["hyperparameters"]["calibration_parts"] = parts
    file.write_text(json.dumps(config), encoding="utf-8")

    assert sentence in section(write_report()[REPORT], "Learning curves")


def test_the_page_says_the_same_as_the_markdown(write_report):
    files = write_report()

    assert page_tables(files[PAGE]) == markdown_tables(files[REPORT])


def test_the_page_loads_nothing_and_runs_nothing(write_report):
    page = write_report()[PAGE]

    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<img|\ssrc=|href=\"(?!#)|url\(|@import", page)


def test_every_drawing_has_a_title_a_description_and_a_table(write_report):
    page = write_report()[PAGE]

    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) == page.count("<svg") > 12
    for figure in figures:
        assert re.search(r"<title>[^<]+</title><desc>[^<]+</desc>", figure)
        assert "<table>" in figure


def test_a_loss_is_said_in_words_with_its_numbers(write_report, reportable):
    loses = section(write_report()[REPORT], "Where the model stands")

    assert re.search(r"- The model loses to strong in MRR TK→G on P1: \d+\.\d against \d+\.\d, difference -", loses)
    assert re.search(r"- accuracy@1 TK→G on P1: \d+\.\d against .*strong \d+\.\d", loses)
    assert "rule" not in loses.split("Where it loses")[1]


def test_a_better_calibrated_baseline_is_named(write_report, reportable):
    def calibrate_popularity(evaluation):
        scorers = evaluation["protocols"]["P1"]["scorers"]
        scorers["model"]["directions"]["tk_to_genomic"]["ece"].update(value=0.2, low=0.1, high=0.3)
        scorers["popularity"]["directions"]["tk_to_genomic"]["ece"].update(value=0.01, low=0.0, high=0.02)

    reportable.rewrite(calibrate_popularity)
    report = write_report()[REPORT]

    assert re.search(r"- ECE TK→G on P1: 20\.0 against popularity 1\.0", report)
    assert "no probabilities on P1 TK→G (20.0 [10.0, 30.0])" in section(report, "Calibration")


def test_targets_are_met_or_not_with_the_number_reached(write_report, reportable):
    accuracy = reportable.evaluation["protocols"]["P1"]["scorers"]["model"]["directions"]["tk_to_genomic"]["accuracy"]

    tables = markdown_tables(write_report()[REPORT])

    row = by_name(tables["Targets on P1"])["TK→G accuracy@5"]
    assert row[0] == interval(accuracy["5"])
    reached = 100 * accuracy["5"]["value"]
    assert row[1:] == [f"≥ {goal}: {'met' if reached >= goal else 'NOT MET'}" for goal in (70, 80, 90)]
    assert "Inference" in by_name(tables["Targets that this evaluation does not measure"])


def test_the_sets_stand_beside_the_baselines_and_chance_with_their_verdict(write_report, reportable):
    directions = reportable.evaluation["protocols"]["P2"]["scorers"]["model"]["directions"]
    coverage = directions["tk_to_genomic"]["sets"]["coverage"]
    files = write_report()

    tables = markdown_tables(files[REPORT])

    sizes = by_name(tables["Coverage (percent) and size of the 90% sets on P2"])
    assert list(sizes) == ["model", "popularity", "memoriser", "strong", "rule", "at random"]
    assert sizes["model"][0] == interval(coverage)
    verdict = by_name(tables["Targets of the 90% sets"])["coverage TK→G on P2"]
    assert verdict[0] == interval(coverage)
    assert verdict[1].endswith(": met") == (coverage["low"] <= 0.9 <= coverage["high"])
    assert by_name(markdown_tables(files[CARD])["Coverage of the 90% sets, percent with 95% intervals"])[
        "coverage TK→G on P2"
    ]


@pytest.mark.parametrize("kind", ["text", "description"])
def test_texts_without_an_answer_are_counted_with_both_thresholds(write_report, reportable, kind):
    found = reportable.evaluation[f"{kind}_abstention"]
    caption = f"Share of {kind}s without an answer, percent with 95% intervals"
    files = write_report()

    rows = by_name(markdown_tables(files[REPORT])[caption])

    far = rows["nothing of this field"]
    assert far == [
        str(found["chosen"]["far"]["count"]),
        interval(found["chosen"]["far"]),
        interval(found["served"]["far"]),
    ]
    assert by_name(markdown_tables(files[CARD])[caption]) == rows


def test_an_evaluation_from_before_sets_and_abstention_is_reported_without_them(write_report, reportable):
    def forget_sets(evaluation):
        evaluation.pop("text_abstention")
        evaluation.pop("description_abstention")
        for protocol in evaluation["protocols"].values():
            protocol["chance"].pop("set_size")
            for scorer in protocol["scorers"].values():
                for cells in scorer["directions"].values():
                    cells.pop("sets")

    reportable.rewrite(forget_sets)
    files = write_report()

    assert "made before sets were measured" in section(files[REPORT], "90% sets")
    assert "did not measure it" in section(files[REPORT], "Texts that get no answer")
    assert "90% sets" not in files[CARD]
    assert "no answer" not in files[CARD]


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        ({}, "The gate has not decided over this version."),
        ({"passed": False, "provisional": False}, "The gate refuses this version."),
        ({"passed": True, "provisional": False}, "The gate lets this version pass."),
        ({"passed": True, "provisional": True}, "The gate lets this version pass provisionally"),
    ],
)
def test_the_gates_decision_stands_in_the_report(gate, sentence, write_report, reportable):
    rules = [{"name": "calibration measured", "passed": False, "detail": "not measured", "waivable": False}]
    reportable.version.gate = gate and {**gate, "rules": rules}
    reportable.version.save()

    found = section(write_report()[REPORT], "Targets and gate")

    assert sentence in found
    assert ("- calibration measured: FAILED. not measured" in found) == bool(gate)


def test_the_same_evaluation_gives_the_same_bytes(write_report):
    assert write_report() == write_report()


def test_few_seeds_are_said_to_be_few(write_report):
    assert "repeats each protocol with 1 seed; " in write_report()[REPORT]


def test_no_effect_is_claimed_and_all_three_say_that_they_are_no_medical_advice(write_report):
    for text in write_report().values():
        assert "Not medical advice." in text
        assert not re.search(r"\b(effective|efficacy|treats?|cures?|heals?|proven|works for)\b", text, re.IGNORECASE)


def test_an_evaluation_for_a_report_takes_all_protocols_and_the_model_without_condition_fields(
    reportable, judged, tmp_path, monkeypatch
):
    asked = []

    def judge(*args, **options):
        asked.append((options["protocols"], options["without_conditions"]))
        return judged

    monkeypatch.setattr(judgement, "judge", judge)
    output = StringIO()

    call_command("evaluate_genomepath", "--report", str(tmp_path / "new"), "--no-progress", stdout=output)

    assert asked == [(("P0", "P1", "P2", "P3"), True)]
    assert output.getvalue().startswith("# GenomePath evaluation")
    assert f"Wrote {tmp_path / 'new' / REPORT}" in output.getvalue()
    assert reportable.version.sha256 in Path(tmp_path / "new" / CARD).read_text(encoding="utf-8")
