"""Texts without an answer: which threshold a fold chooses, and what is counted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.abstention import far_threshold, measure_description_abstention, measure_text_abstention
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.evaluation import evaluate
from genomepath.ml.far_texts import CHOOSING, JUDGING
from genomepath.ml.known_targets import FAR_FROM_TARGETS
from genomepath.ml.report import render_report
from genomepath.ml.results import EvaluationResult
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import Snapshot
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features, synthetic_snapshot

KINDS = ("root", "leaf", "bark", "seed")


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """Practices that speak of remedies and conditions, as practices do."""
    made = synthetic_snapshot(practices=24)
    practices = tuple(
        replace(
            record,
            title=f"Decoction of {KINDS[index % 4]} for sleep and pain",
            indications=("insomnia", "headache"),
            preparation=f"The dried {KINDS[index % 4]} is boiled in water.",
            cultural_context="Healers of the village hand the remedy down.",
        )
        for index, record in enumerate(made.practices)
    )
    return replace(made, practices=practices)


@pytest.fixture(scope="module")
def measured(snapshot):
    return measure_text_abstention(snapshot, MiniLMEncoder(), seeds=(0, 1), folds=3)


def test_texts_of_unseen_practices_are_answered_and_unrelated_ones_are_not(measured):
    for rates in (measured.chosen, measured.served):
        assert rates.whole.value == rates.names.value == 0.0
        assert rates.far.value > 0.9


def test_every_practice_is_held_out_once_a_seed_and_every_sentence_judged_in_every_fold(measured):
    assert (measured.chosen.whole.count, measured.chosen.whole.clusters) == (2 * 24, 24)
    assert (measured.chosen.far.count, measured.chosen.far.clusters) == (2 * 3 * len(JUDGING), len(JUDGING))
    assert len(measured.thresholds) == 2 * 3


def test_the_threshold_lies_just_above_the_closest_unrelated_text():
    assert far_threshold(np.full(100, 0.9, np.float32), np.array([0.1, 0.234], np.float32)) == 0.24


def test_texts_about_practices_forbid_a_higher_threshold():
    assert far_threshold(np.full(100, 0.2, np.float32), np.array([0.6], np.float32)) == 0.2


def test_no_sentence_both_sets_a_threshold_and_measures_it():
    assert not set(CHOOSING) & set(JUDGING)
    assert len(set(JUDGING)) == len(JUDGING) == 60


@pytest.fixture(scope="module")
def described(snapshot):
    """The same of targets that read as genes do; nothing of one is a field of another."""
    parts = ("receptor", "channel", "transporter", "kinase")
    targets = tuple(
        replace(
            record,
            symbol=f"GENE{index}",
            name=f"{parts[index % 4]} protein {index}",
            pathways=(f"signalling by {parts[index % 4]} number {index}",),
            tissues=(f"region {index} of the brain",),
            diseases=(),
        )
        for index, record in enumerate(snapshot.targets)
    )
    symbols = {old.symbol: new.symbol for old, new in zip(snapshot.targets, targets, strict=True)}
    correlations = tuple(replace(row, target=symbols[row.target]) for row in snapshot.correlations)
    named = replace(snapshot, targets=targets, correlations=correlations)
    return measure_description_abstention(named, MiniLMEncoder(), seeds=(0, 1), folds=3)


def test_descriptions_of_unseen_targets_are_answered_and_unrelated_ones_are_not(described):
    for rates in (described.chosen, described.served):
        assert rates.whole.value == 0.0
        assert rates.far.value > 0.9
    assert described.served_threshold == FAR_FROM_TARGETS


def test_every_target_is_held_out_once_a_seed(described, snapshot):
    count = len(snapshot.targets)
    assert (described.chosen.names.count, described.chosen.names.clusters) == (2 * count, count)


def test_what_a_left_out_target_is_compared_with_does_not_hold_itself(snapshot):
    """With an encoder that tells every text apart, only a text itself is close to anything."""
    apart = [replace(record, pathways=(), tissues=(), diseases=()) for record in snapshot.targets]
    rates = measure_description_abstention(
        replace(snapshot, targets=tuple(apart)), HashEncoder(), seeds=(0,), folds=3
    ).served
    assert rates.whole.measured[0] > 0.5


def test_it_survives_json_and_stands_in_the_printed_report(measured, described, snapshot):
    def constant(snapshot, features, training, /):
        return Scores.from_pairs(np.zeros(training.pairs.shape))

    found = evaluate(snapshot, synthetic_features(snapshot), {"model": constant}, protocols=["P1"], folds=2)
    result = replace(found, text_abstention=measured, description_abstention=described)

    assert EvaluationResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result
    for title in ("## Texts that get no answer", "## Descriptions that get no answer"):
        assert title in render_report(result)
        assert title not in render_report(found)


def test_an_encoder_that_tells_nothing_apart_still_gives_rates(snapshot):
    rates = measure_text_abstention(snapshot, HashEncoder(), seeds=(0,), folds=3).chosen

    assert all(0.0 <= estimate.measured[0] <= 1.0 for estimate in (rates.whole, rates.names, rates.far))
