"""Worker processes: the same result, the same errors, and usable from inside a Celery worker."""

from __future__ import annotations

import os
import signal
import sys

import billiard
import numpy as np
import pytest

from genomepath.ml.baselines import BASELINES
from genomepath.ml.evaluation import evaluate
from genomepath.ml.fold_workers import FoldWorkerError
from genomepath.ml.results import EvaluationResult
from genomepath.ml.scores import ScoreError, Scores
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
FEATURES = synthetic_features(SNAPSHOT)
SCORERS = {"model": BASELINES["logistic regression"], "popularity": BASELINES["popularity"]}


def talkative(snapshot, features, training, /):
    sys.stdout.write("a library that prints\n")
    sys.stdout.flush()
    return BASELINES["kNN"](snapshot, features, training)


def not_a_number(snapshot, features, training, /):
    return Scores.from_pairs(np.full(training.pairs.shape, np.nan))


def killed(snapshot, features, training, /):
    os.kill(os.getpid(), signal.SIGKILL)


def without_seconds(result: EvaluationResult):
    payload = result.to_dict()
    for protocol in payload["protocols"].values():
        for scorer in protocol["scorers"].values():
            del scorer["fit_seconds"]
    return payload


def test_two_workers_give_the_same_result_as_one():
    here, there = (evaluate(SNAPSHOT, FEATURES, SCORERS, folds=3, workers=count) for count in (1, 2))

    assert without_seconds(here) == without_seconds(there)


def test_what_a_scorer_prints_does_not_disturb_the_answers():
    result = evaluate(SNAPSHOT, FEATURES, {"model": talkative}, protocols=["P1"], folds=2, workers=2)

    assert result.protocols["P1"].held_out == result.pairs


def test_an_error_in_a_worker_is_raised_unchanged():
    with pytest.raises(ScoreError, match="finite"):
        evaluate(SNAPSHOT, FEATURES, {"model": not_a_number}, protocols=["P1"], folds=2, workers=2)


def test_a_killed_worker_fails_the_run_and_says_so():
    with pytest.raises(FoldWorkerError, match="exit status -9"):
        evaluate(SNAPSHOT, FEATURES, {"model": killed}, protocols=["P1"], folds=2, workers=2)


def evaluate_in_pool(_):
    return evaluate(SNAPSHOT, FEATURES, SCORERS, protocols=["P1"], folds=2, workers=2).to_dict()


def test_workers_can_be_started_from_a_daemonic_celery_pool_process():
    with billiard.Pool(1) as pool:
        payload = pool.map(evaluate_in_pool, [None])[0]

    assert payload["protocols"]["P1"]["held_out"] == payload["pairs"]
