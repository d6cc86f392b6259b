"""The protocol runner: what scorers are given, and what comes out."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from genomepath.ml.baselines import BASELINES
from genomepath.ml.calibration import ListCalibration, PlattCalibration
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.evaluation import evaluate
from genomepath.ml.fold_scoring import EvaluationInputs, score_fold
from genomepath.ml.results import EvaluationResult, ResultError
from genomepath.ml.scores import ScoreError, Scores
from genomepath.ml.snapshot import DIRECTIONS, DOSES
from genomepath.ml.splits import protocol_folds
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
FEATURES = synthetic_features(SNAPSHOT)


@dataclass(frozen=True)
class Rule:
    """The rule that the labels came from."""

    truth: TruthMatrix

    def __call__(self, snapshot, features, training, /):
        return Scores.from_pairs(self.truth.pairs.astype(float))


@dataclass(frozen=True)
class Guess:
    """Scores at random, another order for every training side."""

    seed: int

    def __call__(self, snapshot, features, training, /):
        rng = np.random.default_rng([self.seed, int(training.pairs.sum()), int(np.argwhere(training.pairs).sum())])
        return Scores(rng.random(training.confidence.shape), rng.random(training.pairs.T.shape))


def constant(snapshot, features, training, /):
    return Scores.from_pairs(np.zeros(training.pairs.shape))


def not_a_number(snapshot, features, training, /):
    return Scores.from_pairs(np.full(training.pairs.shape, np.nan))


class Watcher:
    """An early-stopping scorer that notes what it was given."""

    uses_validation = True

    def __init__(self):
        self.calls = []

    def __call__(self, snapshot, features, training, /, *, validation, seed, epochs=None):
        self.calls.append((snapshot, training, validation, seed))
        return BASELINES["kNN"](snapshot, features, training)


@pytest.fixture(scope="module")
def result():
    scorers = {"model": BASELINES["kNN"], "popularity": BASELINES["popularity"], "memoriser": BASELINES["memoriser"]}
    return evaluate(SNAPSHOT, FEATURES, {**scorers, "rule": Rule(TRUTH)}, oracles=frozenset({"rule"}))


def test_p0_and_p1_are_the_default_and_hold_every_scorer_in_both_directions(result):
    assert list(result.protocols) == ["P0", "P1"]
    for protocol in result.protocols.values():
        assert set(protocol.scorers) == {"model", "popularity", "memoriser", "rule"}
        for scorer in protocol.scorers.values():
            assert set(scorer.directions) == set(DIRECTIONS)
            assert all(set(way.accuracy) == {"1", "3", "5", "10"} for way in scorer.directions.values())


def test_every_pair_is_held_out_once_on_p1(result):
    assert result.protocols["P1"].held_out == result.pairs == TRUTH.pairs.sum()
    assert len(result.protocols["P1"].outcomes) == result.pairs


def test_the_rule_scores_full_marks_is_marked_as_oracle_and_stands_outside_comparisons(result):
    protocol = result.protocols["P1"]

    assert protocol.scorers["rule"].oracle
    assert protocol.scorers["rule"].directions["tk_to_genomic"].mrr.value == 1.0
    assert protocol.scorers["rule"].consistency.value == 1.0
    assert set(protocol.differences) == {"popularity", "memoriser"}


def test_memory_shines_on_p0_and_is_worthless_on_p1(result):
    accuracy = {
        name: protocol.scorers["memoriser"].directions["tk_to_genomic"].accuracy["1"].value
        for name, protocol in result.protocols.items()
    }

    assert accuracy["P0"] > 0.3
    assert accuracy["P1"] == 0.0
    assert any("P0 measures memory" in note for note in result.protocols["P0"].notes)


def test_p1_has_calibration_dose_and_synergy_and_p0_does_not(result):
    memory, honest = (result.protocols[name].scorers["model"] for name in ("P0", "P1"))

    assert memory.directions["tk_to_genomic"].ece is None
    assert (memory.dose_recall, memory.synergy, memory.dose_concordance) == ({}, None, None)
    assert all(0 <= honest.directions[way].ece.value <= 1 for way in DIRECTIONS)
    assert set(honest.dose_recall) == {"low", "medium", "high"}
    assert honest.synergy.instances > 0


def test_paired_difference_is_the_difference_of_the_mrrs(result):
    protocol = result.protocols["P1"]
    for way in DIRECTIONS:
        own, other = (protocol.scorers[name].directions[way].mrr.value for name in ("model", "popularity"))
        assert protocol.differences["popularity"][way].value == pytest.approx(own - other)


def test_outcomes_of_the_subject_average_to_its_mrr(result):
    protocol = result.protocols["P1"]

    mean = np.mean([outcome.genomic_to_tk for outcome in protocol.outcomes])
    assert mean == pytest.approx(protocol.scorers["model"].directions["genomic_to_tk"].mrr.value)


def test_a_result_survives_json(result):
    assert EvaluationResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False))) == result


@pytest.mark.parametrize("damage", [{"schema": 99}, {"protocols": {"P1": {}}}])
def test_json_that_is_no_result_is_refused(result, damage):
    with pytest.raises(ResultError):
        EvaluationResult.from_dict({**result.to_dict(), **damage})


def test_another_seed_cuts_other_folds():
    first, second = (
        evaluate(SNAPSHOT, FEATURES, {"model": BASELINES["kNN"]}, protocols=["P1"], seeds=(s,)) for s in (0, 1)
    )

    assert first.protocols["P1"].outcomes != second.protocols["P1"].outcomes


def test_progress_is_told_after_each_fold():
    told = []

    evaluate(
        SNAPSHOT,
        FEATURES,
        {"model": constant},
        folds=3,
        on_progress=lambda done, total, text: told.append((done, total, text)),
    )

    assert [entry[:2] for entry in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [entry[2] for entry in told] == ["P0 seed 0 fold 1", *(f"P1 seed 0 fold {index}" for index in (1, 2, 3))]


@pytest.mark.parametrize("protocol", ["P1", "P2", "P3"])
def test_an_early_stopping_scorer_is_asked_once_a_fold_and_never_sees_a_test_pair(protocol):
    watcher = Watcher()

    evaluate(SNAPSHOT, FEATURES, {"model": watcher}, protocols=[protocol], seeds=(7,), folds=3)

    assert len(watcher.calls) == 3
    unseen = np.zeros_like(TRUTH.pairs, dtype=int)
    for snapshot, training, validation, seed in watcher.calls:
        assert seed == 7
        assert validation.pairs.any()
        assert not (training.pairs & validation.pairs).any()
        assert (TruthMatrix.from_snapshot(snapshot).pairs == training.pairs).all()
        unseen += TRUTH.pairs & ~training.pairs & ~validation.pairs
    assert (unseen == TRUTH.pairs).all()


@dataclass(frozen=True)
class ScaledCosine:
    """Always the same scores, which may be called log odds."""

    log_odds: bool

    def __call__(self, snapshot, features, training, /):
        scores = 30 * features.practice_text @ features.target_text.T
        return replace(Scores.from_pairs(scores), log_odds=self.log_odds)


def distance(curve: ListCalibration | PlattCalibration) -> float:
    """How far a curve is from the one that leaves log odds as they are."""
    return abs(curve.slope - 1) + abs(curve.intercept)


@pytest.mark.parametrize(("protocol", "drawn"), [("P1", False), ("P2", True), ("P3", True)])
def test_log_odds_are_drawn_to_themselves_where_few_whole_records_calibrate(protocol, drawn):
    inputs = EvaluationInputs(
        SNAPSHOT, FEATURES, {"odds": ScaledCosine(True), "scale": ScaledCosine(False)}, frozenset()
    )
    fold = protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0)[0]
    found = score_fold(inputs, fold).by_scorer
    odds_curves, scale_curves = found["odds"].curves, found["scale"].curves
    assert (odds_curves != scale_curves) == drawn
    if drawn:
        assert odds_curves is not None and scale_curves is not None
        for dose in range(len(DOSES)):
            assert distance(odds_curves.tk_to_genomic[dose]) < distance(scale_curves.tk_to_genomic[dose])
        assert distance(odds_curves.genomic_to_tk) < distance(scale_curves.genomic_to_tk)


def test_a_random_scorer_lies_at_the_chance_row():
    found = evaluate(
        SNAPSHOT, FEATURES, {f"g{index}": Guess(index) for index in range(12)}, protocols=["P1"], seeds=range(3)
    )
    protocol = found.protocols["P1"]

    for way in DIRECTIONS:
        rows = [scorer.directions[way] for scorer in protocol.scorers.values()]
        assert np.mean([row.mrr.measured[0] for row in rows]) == pytest.approx(protocol.chance.mrr[way], abs=0.02)
        for k in ("1", "3", "5", "10"):
            hits = np.mean([row.accuracy[k].measured[0] for row in rows])
            assert hits == pytest.approx(protocol.chance.accuracy[way][k], abs=0.03)
    for dose, cells in protocol.chance.dose_recall.items():
        recalls = [scorer.dose_recall[dose]["5"].measured[0] for scorer in protocol.scorers.values()]
        assert np.mean(recalls) == pytest.approx(cells["5"], abs=0.04)


def test_permuted_identities_bring_a_learner_down_to_chance():
    values, chances = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        shuffled = replace(
            FEATURES,
            practice_text=FEATURES.practice_text[rng.permutation(20)],
            target_text=FEATURES.target_text[rng.permutation(16)],
        )
        result = evaluate(SNAPSHOT, shuffled, {"cosine": BASELINES["zero-shot cosine"]}, protocols=["P1"])
        values.append(result.protocols["P1"].scorers["cosine"].directions["tk_to_genomic"].mrr.measured[0])
        chances.append(result.protocols["P1"].chance.mrr["tk_to_genomic"])

    assert np.mean(values) == pytest.approx(np.mean(chances), abs=0.05)


def test_a_constant_scorer_stands_below_chance_because_ties_are_not_luck():
    protocol = evaluate(SNAPSHOT, FEATURES, {"constant": constant}, protocols=["P1"]).protocols["P1"]

    row = protocol.scorers["constant"].directions["tk_to_genomic"]
    assert row.accuracy["5"].measured[0] < 0.1
    assert row.mrr.measured[0] < protocol.chance.mrr["tk_to_genomic"]


def test_data_that_cannot_tell_doses_apart_is_named():
    same = [replace(row, dose=dose) for row in SNAPSHOT.correlations for dose in DOSES]
    unique = {(row.practice, row.target, row.dose): row for row in same}
    snapshot = replace(SNAPSHOT, correlations=tuple(unique[key] for key in sorted(unique)))

    notes = evaluate(snapshot, FEATURES, {"model": constant}, protocols=["P1"], folds=2).protocols["P1"].notes

    assert any(note.startswith("Every practice has the same targets at each of its doses") for note in notes)
    assert any(note.endswith("practices with high-only targets is 0.") for note in notes)


def test_a_scorer_that_answers_with_nan_fails_the_run():
    with pytest.raises(ScoreError, match="finite"):
        evaluate(SNAPSHOT, FEATURES, {"model": not_a_number}, protocols=["P1"])


def test_popularity_finds_nothing_among_unseen_targets():
    scorers = {"popularity": BASELINES["popularity"]}
    protocol = evaluate(SNAPSHOT, FEATURES, scorers, protocols=["P3"]).protocols["P3"]

    assert protocol.cluster == "target"
    assert protocol.scorers["popularity"].directions["tk_to_genomic"].accuracy["5"].value == 0.0


@pytest.mark.parametrize("arguments", [{"seeds": ()}, {"oracles": frozenset({"absent"})}])
def test_an_evaluation_of_nothing_is_refused(arguments):
    with pytest.raises(ValueError, match="needs scorers and seeds"):
        evaluate(SNAPSHOT, FEATURES, {"model": constant}, **arguments)


def test_the_difference_to_chance_is_that_of_the_mrrs_and_has_an_interval(result):
    protocol = result.protocols["P1"]
    for way in DIRECTIONS:
        value, low, high = protocol.chance.differences[way].measured
        own = protocol.scorers["model"].directions[way].mrr.value
        assert value == pytest.approx(own - protocol.chance.mrr[way])
        assert low < value < high


def test_a_guess_is_as_consistent_as_chance_says():
    found = evaluate(SNAPSHOT, FEATURES, {"model": Guess(1)}, protocols=["P1"], seeds=range(12)).protocols["P1"]

    assert found.chance.consistency == pytest.approx(found.scorers["model"].consistency.value, abs=0.05)
    assert found.chance.consistency_joint == pytest.approx(found.scorers["model"].consistency_joint.value, abs=0.05)


def test_model_and_cosine_without_condition_fields_are_paired_where_both_were_judged():
    scorers = {
        "model": BASELINES["kNN"],
        "model without condition fields": BASELINES["kNN"],
        "zero-shot cosine without condition fields": BASELINES["popularity"],
    }
    both = evaluate(SNAPSHOT, FEATURES, scorers, protocols=["P1"]).protocols["P1"]
    one = evaluate(SNAPSHOT, FEATURES, {"model": BASELINES["kNN"]}, protocols=["P1"]).protocols["P1"]

    mrr = {name: row.directions["tk_to_genomic"].mrr.measured[0] for name, row in both.scorers.items()}
    expected = mrr["model without condition fields"] - mrr["zero-shot cosine without condition fields"]
    assert both.bare_differences["tk_to_genomic"].value == pytest.approx(expected)
    assert one.bare_differences == {}


def test_on_unseen_targets_dose_recall_is_drawn_over_targets_and_concordance_is_not_measured():
    p1, p3 = (
        evaluate(SNAPSHOT, FEATURES, {"model": Guess(0)}, protocols=[name]).protocols[name] for name in ("P1", "P3")
    )
    held_out_at_low = TRUTH.confidence[:, 0] > 0

    assert p1.scorers["model"].dose_recall["low"]["5"].clusters == held_out_at_low.any(axis=1).sum()
    assert p3.scorers["model"].dose_recall["low"]["5"].clusters == held_out_at_low.any(axis=0).sum()
    assert p1.scorers["model"].dose_concordance is not None
    assert p3.scorers["model"].dose_concordance is None


@dataclass(frozen=True)
class AnyDose:
    """Knows every pair and says the same at each dose: right that a pair is linked, wrong at which dose."""

    truth: TruthMatrix

    def __call__(self, snapshot, features, training, /):
        return Scores.from_pairs(np.where(self.truth.pairs, 2.0, -2.0) + np.random.default_rng(0).normal(size=(20, 16)))


def test_calibration_is_judged_at_the_dose_that_a_confidence_is_read_at():
    """Two thirds of the pairs are known at a given dose: a confidence near 1 would be off by a third there."""
    scorer = evaluate(SNAPSHOT, FEATURES, {"any": AnyDose(TRUTH)}, protocols=["P1"], subject="any").protocols["P1"]
    row = scorer.scorers["any"].directions["tk_to_genomic"]

    shares = [(TRUTH.confidence[:, dose] > 0).sum() / TRUTH.pairs.sum() for dose in range(3)]
    assert max(shares) < 0.8
    top = max(row.reliability, key=lambda cell: cell.mean_probability)
    assert top.mean_probability < 0.85
    assert top.observed_rate < 0.85
