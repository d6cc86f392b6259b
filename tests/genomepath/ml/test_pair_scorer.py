"""The pair scorer: starts from a regression on the training side alone, the same on every run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.late_interaction import practice_records, target_records
from genomepath.ml.link_evidence import Catalogue, without_links_of
from genomepath.ml.pair_scorer import NEW_PRACTICE, NEW_TARGET, PAIR_FEATURES, VIEWS, PairScorer, catalogue_of, in_view
from genomepath.ml.records import OUTSIDE
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
    assert features.shape == (12, 10, len(PAIR_FEATURES) + len(VIEWS))
    assert torch.equal(first.tk_to_genomic(features), first.genomic_to_tk(features).T)


def test_features_have_mean_zero_and_deviation_one_or_less():
    """Less where some pairs lack a feature, for they stand at its mean; 0 for one that is the same for every pair."""
    features = started().catalogue_features(FEATURES)[..., : len(PAIR_FEATURES)].flatten(0, 1)
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


def test_a_pair_has_the_view_of_what_is_known_of_its_records():
    scorer = started(replace(TRUTH, unseen_practices=frozenset({3}), unseen_targets=frozenset({1, 3})))
    views = scorer.catalogue_features(FEATURES)
    new_practice, new_target = views[..., NEW_PRACTICE], views[..., NEW_TARGET]
    assert new_practice[3].all()
    assert new_practice.sum() == 10
    assert new_target[:, [1, 3]].sum() == 22
    assert new_target.sum() == 22
    assert (views[..., len(PAIR_FEATURES) :].sum(dim=2) == 1).all()


def test_a_record_outside_the_catalogue_is_new():
    scorer = started()
    catalogue = catalogue_of(FEATURES, scorer.links)
    outside = torch.full((12,), OUTSIDE)
    pairs = scorer.standardised(catalogue.practices, outside, catalogue.targets, torch.arange(10), catalogue)
    assert pairs[..., NEW_PRACTICE].all()


def test_a_seen_record_treated_as_new_looks_as_one_outside_a_catalogue_without_it():
    """What the weights of new records are fitted to is what a new record shows."""
    scorer = started()
    as_new = in_view(scorer.catalogue_features(FEATURES), "new practice")[4]
    links = scorer.links.clone()
    links[4] = 0
    practices, targets = practice_records(FEATURES.practices), target_records(FEATURES.targets)
    alone = replace(practices, **{name: value[4:5] for name, value in vars(practices).items()})
    others = {name: torch.cat([value[:4], value[5:]]) for name, value in vars(practices).items()}
    smaller = Catalogue(replace(practices, **others), targets, torch.cat([links[:4], links[5:]]))
    outside = scorer.standardised(alone, torch.tensor([OUTSIDE]), targets, torch.arange(10), smaller)
    torch.testing.assert_close(as_new, outside[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("side", ["practice", "target"])
def test_features_of_a_new_record_do_not_change_with_its_links(side):
    """Beside the property of test_link_evidence, that no feature of a pair changes with its own label."""
    place = (4, slice(None)) if side == "practice" else (slice(None), 4)
    scorer = started()
    before = in_view(scorer.catalogue_features(FEATURES), f"new {side}")[place]
    rest = [index for index in range(before.shape[0]) if index != 7]
    scorer.links[(4, 7) if side == "practice" else (7, 4)] = 1 - scorer.links[(4, 7) if side == "practice" else (7, 4)]
    after = in_view(scorer.catalogue_features(FEATURES), f"new {side}")[place]
    lacking = without_links_of(side)
    assert lacking.sum() == 7
    torch.testing.assert_close(before[rest], after[rest], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(before[7], after[7], atol=1e-4, rtol=1e-4)


def test_an_unseen_record_is_no_negative():
    """What stands in the rows of an unseen practice, here that nothing does, moves no weight."""
    rows = np.ones_like(TRUTH.pairs)
    rows[3] = False
    unseen = started(replace(TRUTH.only_pairs(rows), unseen_practices=frozenset({3})))
    counted = started(TRUTH.only_pairs(rows))
    assert not torch.allclose(unseen.forward_layer.bias, counted.forward_layer.bias, atol=1e-4)
    assert unseen.forward_layer.bias[0] > counted.forward_layer.bias[0]


def test_added_links_make_their_records_seen():
    rows = np.zeros_like(TRUTH.pairs)
    rows[3] = True
    scorer = started(replace(TRUTH.only_pairs(~rows), unseen_practices=frozenset({3, 5})))
    scorer.add_links(replace(TRUTH.only_pairs(rows), unseen_practices=frozenset({5})))
    assert scorer.catalogue_features(FEATURES)[:, 0, NEW_PRACTICE].nonzero().flatten().tolist() == [5]
