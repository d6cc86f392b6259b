"""Baselines: each does what its name says and reads the training side alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.baselines import (
    BASELINES,
    logistic_regression,
    matrix_factorisation,
    memoriser,
    nearest_neighbours,
    pair_feature_stacker,
    pair_features,
    popularity,
    zero_shot,
    zero_shot_new_first,
)
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.scores import FixedFeatures
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot()
FEATURES = synthetic_features(SNAPSHOT)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_every_baseline_scores_the_whole_catalogue_the_same_way_twice(name):
    first, again = (BASELINES[name](SNAPSHOT, FEATURES, TRUTH) for _ in range(2))

    assert first.tk_to_genomic.shape == TRUTH.confidence.shape
    assert (first.tk_to_genomic == again.tk_to_genomic).all()
    assert (first.genomic_to_tk == again.genomic_to_tk).all()


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_every_baseline_works_with_records_that_have_no_training_pair(name):
    mask = np.zeros_like(TRUTH.pairs)
    mask[:3] = True
    mask[:, :3] = True

    scores = BASELINES[name](SNAPSHOT, FEATURES, TRUTH.without_pairs(mask))

    assert np.isfinite(scores.tk_to_genomic).all()


def test_popularity_counts_practices_at_the_dose_and_targets_of_a_practice():
    scores = popularity(SNAPSHOT, FEATURES, TRUTH)

    assert (scores.tk_to_genomic[4] == (TRUTH.confidence > 0).sum(axis=0)).all()
    assert (scores.genomic_to_tk[2] == TRUTH.pairs.sum(axis=1)).all()


def test_popularity_does_not_look_at_the_query():
    scores = popularity(SNAPSHOT, FEATURES, TRUTH)

    assert (scores.tk_to_genomic == scores.tk_to_genomic[:1]).all()
    assert (scores.genomic_to_tk == scores.genomic_to_tk[:1]).all()


def test_the_memoriser_knows_training_pairs_and_nothing_else():
    scores = memoriser(SNAPSHOT, FEATURES, TRUTH)

    assert (scores.pair_scores == TRUTH.pairs).all()
    assert (scores.genomic_to_tk == TRUTH.pairs.T).all()


def test_zero_shot_is_the_cosine_of_whole_texts_and_ignores_the_labels():
    scores = zero_shot(SNAPSHOT, FEATURES, TRUTH)
    nothing = zero_shot(SNAPSHOT, FEATURES, TRUTH.without_pairs(TRUTH.pairs))
    first, second = FEATURES.practice_text[3], FEATURES.target_text[5]

    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert scores.pair_scores[3, 5] == pytest.approx(cosine, abs=1e-6)
    assert (scores.tk_to_genomic == nothing.tk_to_genomic).all()


def test_new_candidates_stand_first_each_in_the_order_of_the_cosine():
    unseen = replace(TRUTH, unseen_practices=frozenset({2, 5}), unseen_targets=frozenset({1}))
    scores, cosine = zero_shot_new_first(SNAPSHOT, FEATURES, unseen), zero_shot(SNAPSHOT, FEATURES, unseen)
    seen = [practice for practice in range(len(TRUTH.practices)) if practice not in (2, 5)]

    assert scores.genomic_to_tk[0, [2, 5]].min() > scores.genomic_to_tk[0, seen].max()
    assert (scores.genomic_to_tk[0, seen] == cosine.genomic_to_tk[0, seen]).all()
    assert (scores.tk_to_genomic[seen].argmax(axis=-1) == 1).all()
    assert (zero_shot_new_first(SNAPSHOT, FEATURES, TRUTH).tk_to_genomic == cosine.tk_to_genomic).all()


def test_neighbours_do_not_include_the_practice_itself():
    alone = np.zeros_like(TRUTH.pairs)
    alone[0] = TRUTH.pairs[0]

    scores = nearest_neighbours(SNAPSHOT, FEATURES, TRUTH.only_pairs(alone))

    assert (scores.pair_scores[0] == 0).all()


def test_logistic_regression_fits_its_training_side():
    scores = logistic_regression(SNAPSHOT, FEATURES, TRUTH)

    for target in np.flatnonzero(TRUTH.pairs.any(axis=0) & ~TRUTH.pairs.all(axis=0)):
        own = scores.pair_scores[:, target]
        assert own[TRUTH.pairs[:, target]].mean() > own[~TRUTH.pairs[:, target]].mean()


def test_logistic_regression_gives_a_target_without_pairs_the_lowest_constant():
    mask = np.zeros_like(TRUTH.pairs)
    mask[:, 0] = True
    column = logistic_regression(SNAPSHOT, FEATURES, TRUTH.without_pairs(mask)).pair_scores[:, 0]

    assert np.unique(column).size == 1
    assert column[0] < 0


def test_matrix_factorisation_rebuilds_known_links_without_reading_text():
    scores = matrix_factorisation(SNAPSHOT, FEATURES, TRUTH).pair_scores

    assert scores[TRUTH.pairs].mean() > scores[~TRUTH.pairs].mean() + 0.5


def test_the_features_of_a_pair_do_not_hold_its_own_label():
    features = pair_features(FEATURES, TRUTH)

    for practice, target in np.ndindex(*TRUTH.pairs.shape):
        flipped = TRUTH.confidence.copy()
        flipped[practice, :, target] = 0.0 if TRUTH.pairs[practice, target] else 0.5
        other = pair_features(FEATURES, replace(TRUTH, confidence=flipped))
        assert (other[practice, target] == features[practice, target]).all()


def test_the_stacker_uses_the_text_where_the_text_tells():
    cosine = zero_shot(SNAPSHOT, FEATURES, TRUTH).pair_scores
    practices, targets = np.nonzero(cosine > np.quantile(cosine, 0.8))
    confidence = np.zeros_like(TRUTH.confidence)
    confidence[practices, 0, targets] = 0.5

    scores = pair_feature_stacker(SNAPSHOT, FEATURES, replace(TRUTH, confidence=confidence)).pair_scores

    assert scores[practices, targets].mean() > np.delete(scores, practices * scores.shape[1] + targets).mean() + 1.0


def test_fixed_features_replace_those_of_the_run():
    other = synthetic_features(synthetic_snapshot(seed=9))
    swapped = FixedFeatures(zero_shot, FEATURES)(SNAPSHOT, other, TRUTH)

    assert (swapped.pair_scores == zero_shot(SNAPSHOT, FEATURES, TRUTH).pair_scores).all()


LEARNERS = ["kNN", "logistic regression", "matrix factorisation", "pair-feature stacker"]


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("side", ["practices", "targets"])
def test_a_record_that_a_fold_holds_out_whole_teaches_nothing(name, side):
    """Whatever an unseen record says, the scores of the others stay as they are: it has no known absence of links."""
    hidden = np.zeros_like(TRUTH.pairs)
    hidden[3 if side == "practices" else slice(None), 3 if side == "targets" else slice(None)] = True
    training = replace(
        TRUTH.without_pairs(hidden),
        unseen_practices=frozenset({3} if side == "practices" else ()),
        unseen_targets=frozenset({3} if side == "targets" else ()),
    )
    field = {"practices": "practice_text", "targets": "target_text"}[side]
    other = getattr(FEATURES, field).copy()
    other[3] = other[5]

    first = BASELINES[name](SNAPSHOT, FEATURES, training)
    second = BASELINES[name](SNAPSHOT, replace(FEATURES, **{field: other}), training)

    others = np.arange(len(TRUTH.practices if side == "practices" else TRUTH.targets)) != 3
    rows = (others, slice(None)) if side == "practices" else (slice(None), others)
    np.testing.assert_allclose(first.pair_scores[rows], second.pair_scores[rows], atol=1e-9)
    np.testing.assert_allclose(first.genomic_to_tk.T[rows], second.genomic_to_tk.T[rows], atol=1e-9)


def test_the_nearest_neighbour_of_a_practice_is_one_that_is_seen():
    """A practice like it whose links a fold hides does not stand for a practice like it without links."""
    twin = FEATURES.practice_text.copy()
    twin[1] = twin[0]
    features = replace(FEATURES, practice_text=twin)
    mask = np.zeros_like(TRUTH.pairs)
    mask[1] = True
    hidden = TRUTH.without_pairs(mask)

    as_absent = nearest_neighbours(SNAPSHOT, features, hidden).pair_scores[0]
    as_unseen = nearest_neighbours(SNAPSHOT, features, replace(hidden, unseen_practices=frozenset({1}))).pair_scores[0]

    assert as_unseen.sum() > as_absent.sum()
