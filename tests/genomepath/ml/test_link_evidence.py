"""Link evidence: equal to a loop over the catalogue, and blind to the label of the pair that it speaks of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.late_interaction import practice_records, target_records
from genomepath.ml.link_evidence import LINK_FEATURES, Catalogue, link_evidence
from genomepath.ml.records import OUTSIDE
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=6, targets=5)
FEATURES = synthetic_features(SNAPSHOT)
PRACTICES, TARGETS = practice_records(FEATURES.practices), target_records(FEATURES.targets)
LINKS = torch.from_numpy(TruthMatrix.from_snapshot(SNAPSHOT).pairs).float()


def evidence(links: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    rows = torch.arange(len(PRACTICES.mask)), torch.arange(len(TARGETS.mask))
    return link_evidence(PRACTICES, rows[0], TARGETS, rows[1], Catalogue(PRACTICES, TARGETS, links))


@given(st.lists(st.booleans(), min_size=30, max_size=30), st.integers(0, 5), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_no_feature_of_a_pair_changes_with_its_own_label(known, p, g):
    links = torch.tensor(known).float().view(6, 5)
    flipped = links.clone()
    flipped[p, g] = 1 - flipped[p, g]
    before, after = evidence(links), evidence(flipped)
    torch.testing.assert_close(before[0][p, g], after[0][p, g], atol=1e-5, rtol=1e-5)
    assert torch.equal(before[1][p, g], after[1][p, g])


def test_a_planted_label_would_be_noticed():
    """The property above can fail: the plain number of links of a target, its own label included, breaks it."""
    flipped = LINKS.clone()
    flipped[2, 3] = 1 - flipped[2, 3]
    assert LINKS.sum(dim=0)[3] != flipped.sum(dim=0)[3]
    others = evidence(LINKS)[0][:, 3, 0] - evidence(flipped)[0][:, 3, 0]
    assert others[2] == 0
    assert (others[[0, 1, 3, 4, 5]] != 0).all()


def test_numbers_of_links_and_neighbours_are_those_of_a_loop():
    values, present = evidence(LINKS)
    links = LINKS.numpy()
    for p in range(6):
        for g in range(5):
            others = [row for row in range(6) if row != p]
            count = sum(links[row, g] for row in others)
            weights = [np.exp((float(PRACTICES.text[p] @ PRACTICES.text[row]) - 1) / 0.1) for row in others]
            mean = sum(w * links[row, g] for w, row in zip(weights, others, strict=True)) / sum(weights)
            assert bool(present[p, g, 0]) == (count > 0)
            if count:
                assert values[p, g, 0].item() == count
                found = values[p, g, LINK_FEATURES.index("similar practices")].item()
                assert found == pytest.approx(mean, abs=1e-5)


def test_co_links_are_those_of_a_loop():
    values, present = evidence(LINKS)
    links = LINKS.numpy()
    best, mean = (LINK_FEATURES.index(f"{name} co-link of targets") for name in ("best", "mean"))
    for p in range(6):
        rest = np.delete(links, p, axis=0)
        for g in range(5):
            known = [other for other in range(5) if other != g and links[p, other]]
            close = [
                (rest[:, g] * rest[:, h]).sum() / np.sqrt((rest[:, g].sum() + 1) * (rest[:, h].sum() + 1))
                for h in known
            ]
            if present[p, g, best]:
                assert values[p, g, best].item() == pytest.approx(max(close), abs=1e-5)
                assert values[p, g, mean].item() == pytest.approx(np.mean(close), abs=1e-5)


def test_a_record_outside_the_catalogue_has_the_evidence_of_similar_records_alone():
    catalogue = Catalogue(PRACTICES, TARGETS, LINKS)
    _, present = link_evidence(PRACTICES, torch.full((6,), OUTSIDE), TARGETS, torch.arange(5), catalogue)
    linked = LINKS.sum(dim=0) > 0
    for name, expected in (("similar practices", linked), ("practices with a similar field", linked)):
        assert torch.equal(present[0, :, LINK_FEATURES.index(name)], expected)
    for name in ("links of the practice", "similar targets", "best co-link of targets", "mean co-link of practices"):
        assert not present[:, :, LINK_FEATURES.index(name)].any()


def test_a_practice_without_links_counts_as_one_outside_the_catalogue():
    links = LINKS.clone()
    links[4] = 0
    catalogue = Catalogue(PRACTICES, TARGETS, links)
    inside = link_evidence(PRACTICES, torch.arange(6), TARGETS, torch.arange(5), catalogue)
    without = {
        name: torch.cat([getattr(PRACTICES, name)[:4], getattr(PRACTICES, name)[5:]]) for name in vars(PRACTICES)
    }
    smaller = Catalogue(replace(PRACTICES, **without), TARGETS, torch.cat([links[:4], links[5:]]))
    outside = link_evidence(PRACTICES, torch.full((6,), OUTSIDE), TARGETS, torch.arange(5), smaller)
    assert torch.equal(inside[1][4], outside[1][4])
    torch.testing.assert_close(inside[0][4], outside[0][4])
