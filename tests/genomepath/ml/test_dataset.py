from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.dataset import DatasetError, TruthMatrix, build_text_features
from genomepath.ml.snapshot import CorrelationRecord, snapshot_build
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features, synthetic_snapshot

PRACTICE, TARGET = "invented-practice-00", "FAKE01"


def snapshot_with(*rows: CorrelationRecord):
    base = synthetic_snapshot()
    return snapshot_build(practices=base.practices, targets=base.targets, correlations=rows, synergies=base.synergies)


def test_a_cell_holds_the_highest_confidence_of_both_directions():
    truth = TruthMatrix.from_snapshot(
        snapshot_with(
            CorrelationRecord(PRACTICE, TARGET, "low", "tk_to_genomic", 0.4, "poor"),
            CorrelationRecord(PRACTICE, TARGET, "low", "genomic_to_tk", 0.7, "good"),
            CorrelationRecord(PRACTICE, TARGET, "high", "genomic_to_tk", 0.5, "moderate"),
        )
    )
    np.testing.assert_allclose(truth.confidence[0, :, 1], [0.7, 0.0, 0.5])
    assert truth.quality_of_pair[0, 1] == 3
    assert truth.pair_confidence[0, 1] == pytest.approx(0.7)
    assert truth.pairs.sum() == 1


def test_held_out_pairs_are_zero_at_every_dose():
    truth = TruthMatrix.from_snapshot(synthetic_snapshot())
    mask = np.zeros(truth.pairs.shape, dtype=bool)
    mask[3] = True
    rest, part = truth.without_pairs(mask), truth.only_pairs(mask)
    assert not rest.confidence[3].any()
    assert not rest.quality_of_pair[3].any()
    np.testing.assert_array_equal(rest.confidence + part.confidence, truth.confidence)


def test_a_mask_of_another_shape_is_refused():
    truth = TruthMatrix.from_snapshot(synthetic_snapshot())
    with pytest.raises(DatasetError, match="does not fit"):
        truth.only_pairs(np.ones((1, 1), dtype=bool))


def test_an_unknown_quality_is_refused():
    snapshot = snapshot_with(CorrelationRecord(PRACTICE, TARGET, "low", "tk_to_genomic", 0.4, "superb"))
    with pytest.raises(DatasetError, match="superb"):
        TruthMatrix.from_snapshot(snapshot)


def test_an_empty_catalogue_is_refused():
    with pytest.raises(DatasetError, match="no practice"):
        TruthMatrix.from_snapshot(snapshot_build(practices=[], targets=[], correlations=[], synergies=[]))


class CountingEncoder(HashEncoder):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]):
        self.seen += texts
        return super().encode(texts)


def test_each_unique_text_is_encoded_once():
    encoder = CountingEncoder()
    build_text_features(synthetic_snapshot(), encoder)
    assert "Invented for a test" in encoder.seen
    assert len(encoder.seen) == len(set(encoder.seen))


def test_features_have_the_documented_shapes_and_zero_padding():
    snapshot = synthetic_snapshot()
    first = replace(snapshot.practices[0], indications=("mock one", "mock two", "mock three"))
    features = synthetic_features(replace(snapshot, practices=(first, *snapshot.practices[1:])))
    assert features.practice_tokens.shape == (12, 6, 384)
    assert features.practice_mask.sum(axis=1).tolist() == [6] + [4] * 11
    assert not features.practice_tokens[1, 4:].any()
    assert features.target_tokens.shape == (10, 4, 384)
    assert features.dose_tokens.shape == (3, 384)
    assert features.practice_text.shape == (12, 384)
    np.testing.assert_array_equal(features.dose_variants[:, 0], features.dose_tokens)


def test_dropped_conditions_reach_no_text():
    snapshot = synthetic_snapshot()
    titled = tuple(replace(row, title=f"Invented leaf for {row.indications[0]}") for row in snapshot.practices)
    encoder = CountingEncoder()
    features = build_text_features(replace(snapshot, practices=titled), encoder, drop_conditions=True)
    assert not [text for text in encoder.seen if "invented condition" in text.lower()]
    assert features.conditions_dropped
    assert features.practice_variants == ()
