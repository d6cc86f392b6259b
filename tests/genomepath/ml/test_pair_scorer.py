"""The pair scorer: starts from a regression on the training side alone, the same on every run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.pair_scorer import PAIR_FEATURES, PairScorer
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot()
FEATURES = synthetic_features(SNAPSHOT)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)


def started(truth: TruthMatrix = TRUTH) -> PairScorer:
    scorer = PairScorer(*truth.pairs.shape)
    scorer.start(FEATURES, truth)
    return scorer


def test_two_starts_give_the_same_weights_and_logits():
    first, second = started(), started()
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    features = first.catalogue_features(FEATURES)
    assert features.shape == (12, 10, len(PAIR_FEATURES))
    assert torch.equal(first.tk_to_genomic(features), first.genomic_to_tk(features).T)


def test_features_have_mean_zero_and_deviation_one_or_less():
    """Less where some pairs lack a feature, for they stand at its mean; 0 for one that is the same for every pair."""
    features = started().catalogue_features(FEATURES).flatten(0, 1)
    assert features.mean(dim=0).abs().max() < 1e-4
    assert (features.std(dim=0, correction=0) < 1 + 1e-4).all()


def test_a_held_out_pair_does_not_reach_its_own_score():
    """Whether a pair is among the links that evidence is taken from changes nothing about its own logit."""
    others = np.ones_like(TRUTH.pairs)
    others[3] = False
    scorer = started(TRUTH.only_pairs(others))
    before = scorer.tk_to_genomic(scorer.catalogue_features(FEATURES))
    target = int(np.flatnonzero(TRUTH.pairs[3])[0])
    mask = np.zeros_like(TRUTH.pairs)
    mask[3, target] = True
    scorer.add_links(TRUTH.only_pairs(mask))
    after = scorer.tk_to_genomic(scorer.catalogue_features(FEATURES))
    assert after[3, target].item() == pytest.approx(before[3, target].item(), abs=1e-4)
    assert not torch.allclose(before, after, atol=1e-3)


def test_labels_of_one_class_start_at_their_log_odds():
    nothing = started(TRUTH.only_pairs(np.zeros_like(TRUTH.pairs)))
    logits = nothing.tk_to_genomic(nothing.catalogue_features(FEATURES))
    torch.testing.assert_close(logits, torch.full((12, 10), float(np.log(1 / 121))))
