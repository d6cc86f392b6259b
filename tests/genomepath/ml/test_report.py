"""The report says in words where the model loses, prints every row, and never speaks of effects."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest

from genomepath.ml.baselines import BASELINES
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.evaluation import evaluate
from genomepath.ml.performance_targets import target_outcomes
from genomepath.ml.report import render_report, verdicts
from genomepath.ml.scores import Scores
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
FEATURES = synthetic_features(SNAPSHOT)


@dataclass(frozen=True)
class NoisyTruth:
    """Knows the labels up to noise; a little noise makes a strong model, much noise a weak one."""

    noise: float

    def __call__(self, snapshot, features, training, /):
        noise = np.random.default_rng(0).normal(scale=self.noise, size=TRUTH.pairs.shape)
        return Scores.from_pairs(TRUTH.pairs + noise)


def rule(snapshot, features, training, /):
    return Scores.from_pairs(TRUTH.pairs.astype(float))


def evaluated(noise):
    scorers = {
        "model": NoisyTruth(noise),
        "popularity": BASELINES["popularity"],
        "strong": NoisyTruth(0.35),
        "rule": rule,
    }
    return evaluate(SNAPSHOT, FEATURES, scorers, oracles=frozenset({"rule"}))


@pytest.fixture(scope="module")
def weak():
    return evaluated(5.0)


@pytest.fixture(scope="module")
def good():
    return evaluated(0.3)


def test_a_lost_comparison_is_said_in_words_with_its_numbers_before_anything_else(weak):
    first = verdicts(weak)[0]

    assert first.startswith("The model loses to ")
    assert re.search(r"in MRR (TK→G|G→TK) on P\d: \d+\.\d against \d+\.\d, difference -\d+\.\d \[-", first)
    assert "## Where the model stands\n\n- The model loses to" in render_report(weak)


def test_a_lower_accuracy_is_said_with_the_scorers_that_exceed_it(weak):
    assert any(
        sentence.startswith("In accuracy@5 TK→G on P1 the model (") and "strong" in sentence
        for sentence in verdicts(weak)
    )


def test_a_model_that_loses_nowhere_says_so_and_names_what_it_beats(good):
    sentences = verdicts(good)

    assert not any("loses to" in sentence for sentence in sentences)
    assert any(sentence.startswith("The model beats popularity in MRR TK→G on P1") for sentence in sentences)


def test_every_table_of_ranks_has_all_scorers_and_the_chance_row(weak):
    text = render_report(weak)
    tables = [block for block in text.split("\n\n") if block.startswith(("| TK→G", "| G→TK"))]

    assert len(tables) == 4
    for table in tables:
        names = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
        assert names == ["model", "popularity", "strong", "rule (oracle, not compared)", "chance"]


def test_numbers_carry_their_interval(weak):
    mrr = weak.protocols["P1"].scorers["model"].directions["tk_to_genomic"].mrr

    assert f"{100 * mrr.value:.1f} [{100 * mrr.low:.1f}, {100 * mrr.high:.1f}]" in render_report(weak)


def test_the_oracle_is_in_no_verdict(weak, good):
    assert not any("rule" in sentence for sentence in (*verdicts(weak), *verdicts(good)))


def test_targets_are_met_or_not_with_their_number(weak, good):
    verdict = {name: {row.name: row for row in target_outcomes(result)} for name, result in (("w", weak), ("g", good))}

    assert verdict["w"]["TK→G accuracy@5"].minimum == ("≥ 70", False)
    assert verdict["g"]["TK→G accuracy@5"].ours == ("≥ 90", True)
    assert "≥ 70: NOT MET" in render_report(weak)
    assert "≥ 90: met" in render_report(good)


def test_every_target_row_has_a_threshold_and_a_number(good):
    names = [row.name for row in target_outcomes(good)]

    assert names == [
        "TK→G accuracy@5",
        "G→TK accuracy@3",
        "Bidirectional consistency",
        "MRR TK→G",
        "ECE TK→G",
        "ECE G→TK",
        "Dose low, recall@5",
        "Dose medium, recall@8",
        "Dose high, recall@10",
        "Synergy recognition",
        "Coverage of the 90% sets TK→G",
        "Coverage of the 90% sets G→TK",
    ]


@pytest.mark.parametrize(("noise", "met"), [(0.3, True), (1e9, False)])
def test_the_model_without_condition_fields_is_judged_beside_the_cosine_without_them(noise, met):
    scorers = {
        "model": NoisyTruth(0.3),
        "model without condition fields": NoisyTruth(noise),
        "zero-shot cosine without condition fields": NoisyTruth(1e9),
    }
    result = evaluate(SNAPSHOT, FEATURES, scorers, protocols=["P1"])
    row = {row.name: row for row in target_outcomes(result)}["Without condition fields"]

    assert re.fullmatch(r"TK→G accuracy@5 [\d.]+ against [\d.]+, G→TK accuracy@3 [\d.]+ against [\d.]+", row.reached)
    assert row.ours == ("≥ 5 points over the cosine", met)


def test_the_report_says_what_the_numbers_do_not_mean_and_claims_no_effect(weak):
    text = render_report(weak)

    assert "documented or were imported, not biology" in text
    assert "P0 measures memory" in text
    assert not re.search(r"\b(effective|efficacy|treats?|cures?|proven|works for)\b", text, re.IGNORECASE)


def test_an_evaluation_of_baselines_alone_says_that_nothing_is_judged():
    result = evaluate(SNAPSHOT, FEATURES, {"popularity": BASELINES["popularity"]}, protocols=["P1"])

    assert verdicts(result) == ["No scorer was under judgement; the tables hold baselines alone."]
    assert target_outcomes(result) == ()
    assert "## Targets" not in render_report(result)


def test_tables_are_aligned_so_that_they_read_as_plain_text(weak):
    for block in render_report(weak).split("\n\n"):
        if block.startswith("|"):
            assert len({len(line) for line in block.splitlines()}) == 1
