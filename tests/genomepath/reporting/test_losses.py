"""Whatever metric another scorer stands better in is said in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomepath.ml.bootstrap import Estimate
from genomepath.ml.results import ScorerResult, SynergyResult
from genomepath.reporting.losses import further_losses, losses
from tests.genomepath.report_reader import sentences

FORWARD = "tk_to_genomic"
SYNERGY = SynergyResult(10, 0.5, 0.5, 0.5, 0.5, 3, "A + B")


def percent(value: float) -> Estimate:
    return Estimate(value / 100, value / 100, value / 100, 100, 20)


@pytest.fixture
def model(judged) -> ScorerResult:
    """The model of P1, with a synergy and a dose concordance of 50 percent."""
    scorers: dict[str, ScorerResult] = judged.protocols["P1"].scorers
    return replace(scorers["model"], synergy=SYNERGY, dose_concordance=percent(50))


@pytest.fixture
def said(judged):
    """The sentences over P1 of a model beside one other scorer."""

    def compare(model: ScorerResult, other: ScorerResult) -> list[str]:
        alone = replace(judged.protocols["P1"], scorers={"model": model, "other": other})
        return further_losses(replace(judged, protocols={"P1": alone}))

    return compare


def with_sets(model, coverage, size):
    """The model with other 90% sets, from practice to target."""
    cells = model.directions[FORWARD]
    sets = replace(cells.sets, coverage=percent(coverage), size=percent(100 * size))
    return replace(model, directions={**model.directions, FORWARD: replace(cells, sets=sets)})


def test_an_equal_scorer_is_no_loss(said, model):
    assert said(model, model) == []


@pytest.mark.parametrize(
    ("field", "metric"),
    [
        ("consistency", "consistency"),
        ("consistency_joint", "in both lists, of all"),
        ("dose_concordance", "dose concordance"),
    ],
)
def test_a_higher_share_of_a_whole_scorer_is_named(said, model, field, metric):
    found = said(model, replace(model, **{field: percent(100)}))

    assert [text.partition(" on P1")[0] for text in found] == [metric]


@pytest.mark.parametrize(
    ("better", "metric"),
    [
        (replace(SYNERGY, recall=0.6), "recall"),
        (replace(SYNERGY, precision=0.6), "precision"),
        (replace(SYNERGY, f1=0.6), "F1"),
        (replace(SYNERGY, macro_recall=0.6), "macro-recall"),
    ],
)
def test_each_part_of_synergy_recognition_is_named(said, model, better, metric):
    assert said(model, replace(model, synergy=better)) == [f"synergy {metric} on P1: 50.0 against other 60.0."]


def test_recall_is_named_at_every_cut_off_of_every_dose(said, model):
    higher = {dose: {k: percent(101) for k in cells} for dose, cells in model.dose_recall.items()}

    found = said(model, replace(model, dose_recall=higher))

    assert [text.partition(" on P1")[0] for text in found] == [
        f"recall@{k} at the {dose} dose" for dose in ("low", "medium", "high") for k in (5, 8, 10)
    ]


@pytest.mark.parametrize(("coverage", "is_better"), [(91, True), (89, True), (95, False), (100, False)])
def test_a_coverage_is_better_the_nearer_it_is_to_90_and_not_the_higher(said, model, coverage, is_better):
    found = said(with_sets(model, 95, 8), with_sets(model, coverage, 8))

    expected = [f"coverage of the 90% sets TK→G on P1: 95.0 against other {coverage}.0."]
    assert found == (expected if is_better else [])


@pytest.mark.parametrize(("coverage", "is_better"), [(95, True), (90, False)])
def test_a_smaller_set_is_better_only_where_it_covers_no_less(said, model, coverage, is_better):
    found = said(with_sets(model, 95, 8), with_sets(model, coverage, 7))

    assert ("size of the 90% sets TK→G on P1: 8.0 against other 7.0." in found) == is_better


def test_the_list_says_which_metrics_it_is_over(material):
    text = " ".join(sentences(losses(material.evaluation)))

    for metric in ("accuracy", "calibration", "consistency", "recall by dose", "dose concordance", "synergy", "sets"):
        assert metric in text
