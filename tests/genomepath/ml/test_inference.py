from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.inference import score_new_practice, score_new_target, shared_vectors
from genomepath.ml.pair_scorer import PAIR_FEATURES
from genomepath.ml.snapshot import PracticeRecord
from genomepath.ml.training import fit
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot()


@pytest.fixture(scope="module")
def features():
    return synthetic_features(SNAPSHOT)


@pytest.fixture(scope="module")
def fitted(features):
    truth = TruthMatrix.from_snapshot(SNAPSHOT)
    return fit(features, truth, None, preset_config("small", epochs=30), seed=0)


def test_a_new_practice_is_scored_with_what_its_text_shares_with_a_target(features, fitted):
    """Words of a disease association in the text raise the target that has it."""
    model = copy.deepcopy(fitted.model)
    with torch.no_grad():
        model.pairs.forward_layer.weight[:, list(PAIR_FEATURES).index("name x disease")] += 5.0
    disease = SNAPSHOT.targets[3].diseases[0].name
    text = PracticeRecord("", disease, "", (), "", "")
    scores = score_new_practice(model, features, HashEncoder(), text).logits
    holders = [index for index, row in enumerate(SNAPSHOT.targets) if row.diseases[0].name == disease]
    assert set(np.argsort(-scores[1])[: len(holders)]) == set(holders)


def test_shared_vectors_have_unit_length_and_one_practice_vector_a_dose(features, fitted):
    vectors = shared_vectors(fitted.model, features)
    assert vectors.practices.shape == (12, 3, 64)
    assert vectors.targets.shape == (10, 64)
    np.testing.assert_allclose(np.linalg.norm(vectors.practices, axis=-1), 1.0, atol=1e-5)


def test_shared_space_ranks_a_new_record_by_cosine(features, fitted):
    vectors = shared_vectors(fitted.model, features)
    logits = score_new_target(fitted.model, features, HashEncoder(), SNAPSHOT.targets[2]).shared_space
    cosines = vectors.practices @ vectors.targets[2]
    assert logits.shape == (12, 3)
    np.testing.assert_array_equal(np.argsort(logits.ravel()), np.argsort(cosines.ravel()))


def test_the_shared_space_learns_known_pairs(features, fitted):
    known = TruthMatrix.from_snapshot(SNAPSHOT).pairs
    vectors = shared_vectors(fitted.model, features)
    cosines = np.einsum("pds,gs->pdg", vectors.practices, vectors.targets).max(axis=1)
    assert cosines[known].mean() > cosines[~known].mean()
