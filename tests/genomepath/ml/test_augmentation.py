from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.augmentation import Augmenter, TokenBatch, practice_dose_batch, target_batch
from genomepath.ml.config import AugmentationConfig
from genomepath.ml.dataset import build_text_features
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_snapshot

NONE = AugmentationConfig(dose=False, synonym=False, indication_order=False, target_sampling=False)
ROWS = np.arange(36)
TARGETS = np.arange(10)


@pytest.fixture(scope="module")
def features():
    snapshot = synthetic_snapshot()
    practices = tuple(
        replace(row, indications=("insomnia", "mock condition", "pain", "mock fever")) for row in snapshot.practices
    )
    targets = tuple(replace(row, pathways=tuple(f"mock pathway {n}" for n in range(20))) for row in snapshot.targets)
    return build_text_features(replace(snapshot, practices=practices, targets=targets), HashEncoder())


def augmenter(features, seed: int = 0, **flags) -> Augmenter:
    return Augmenter(features, replace(NONE, **flags), np.random.default_rng(seed))


def assert_equal(first: TokenBatch, second: TokenBatch) -> None:
    np.testing.assert_array_equal(first.tokens, second.tokens)
    np.testing.assert_array_equal(first.slots, second.slots)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_without_augmentation_batches_are_the_plain_ones(features):
    plain = augmenter(features)
    assert_equal(plain.practice_doses(ROWS), practice_dose_batch(features, ROWS))
    assert_equal(plain.targets(TARGETS), target_batch(features, TARGETS))


def test_a_row_is_a_practice_with_its_dose_in_front(features):
    batch = practice_dose_batch(features, np.array([3 * 5 + 2]))
    np.testing.assert_array_equal(batch.tokens[0, 0], features.dose_tokens[2])
    np.testing.assert_array_equal(batch.tokens[0, 1:], features.practice_tokens[5])


def test_dose_augmentation_changes_wordings_within_the_dose(features):
    doses = augmenter(features, dose=True).practice_doses(ROWS).tokens[:, 0]
    wordings = [(features.dose_variants[row % 3] == doses[row]).all(axis=1) for row in ROWS]
    assert all(found.any() for found in wordings)
    assert any(not found[0] for found in wordings)


def test_synonyms_replace_only_tokens_that_have_one(features):
    changed = augmenter(features, synonym=True).practice_doses(ROWS).tokens
    differs = (changed != practice_dose_batch(features, ROWS).tokens).any(axis=(0, 2))
    assert differs.tolist() == [False, False, False, False, True, False, True, False]


def test_indication_order_moves_indications_and_nothing_else(features):
    plain, shuffled = (
        practice_dose_batch(features, ROWS),
        augmenter(features, indication_order=True).practice_doses(ROWS),
    )
    np.testing.assert_array_equal(plain.tokens[:, :4], shuffled.tokens[:, :4])
    np.testing.assert_array_equal(plain.slots, shuffled.slots)
    assert (plain.tokens[:, 4:] != shuffled.tokens[:, 4:]).any()
    np.testing.assert_allclose(plain.tokens.sum(axis=1), shuffled.tokens.sum(axis=1), atol=1e-5)


def test_target_sampling_keeps_the_identity_and_at_most_the_terms_asked_for(features):
    batch = augmenter(features, target_sampling=True, max_target_terms=6).targets(TARGETS)
    assert (batch.mask.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(batch.tokens[:, 0], features.target_tokens[:, 0])


def test_augmentation_does_not_touch_the_features(features):
    before = features.practice_tokens.copy(), features.target_tokens.copy(), features.target_mask.copy()
    everything = Augmenter(features, AugmentationConfig(max_target_terms=3), np.random.default_rng(0))
    everything.practice_doses(ROWS)
    everything.targets(TARGETS)
    np.testing.assert_array_equal(before[0], features.practice_tokens)
    np.testing.assert_array_equal(before[1], features.target_tokens)
    np.testing.assert_array_equal(before[2], features.target_mask)


def test_equal_seeds_draw_equal_batches(features):
    flags = {"dose": True, "synonym": True, "indication_order": True}
    assert_equal(
        augmenter(features, 4, **flags).practice_doses(ROWS), augmenter(features, 4, **flags).practice_doses(ROWS)
    )
