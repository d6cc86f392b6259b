"""Splits: what may stand on two sides, and what may not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.splits import (
    PROTOCOLS,
    SplitError,
    pair_mask,
    protocol_folds,
    rows_snapshot,
    stratified_pair_split,
    unseen_records,
)
from tests.genomepath.ml.synthetic import synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=20, targets=16)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)


def test_pair_split_parts_are_disjoint_and_cover_all_known_pairs():
    split = stratified_pair_split(TRUTH, seed=3)

    assert not (split.train & split.validation).any()
    assert not (split.train & split.test).any()
    assert not (split.validation & split.test).any()
    assert ((split.train | split.validation | split.test) == TRUTH.pairs).all()


@given(seed=st.integers(0, 10_000), density=st.floats(0.15, 0.8))
@settings(max_examples=25, deadline=None)
def test_pair_split_is_80_10_10_in_every_quality(seed, density):
    truth = TruthMatrix.from_snapshot(synthetic_snapshot(15, 12, density, seed % 7))
    split = stratified_pair_split(truth, seed)

    for quality in (1, 2, 3):
        stratum = truth.quality_of_pair == quality
        size = stratum.sum()
        assert abs((split.test & stratum).sum() - size / 10) <= 1
        assert abs((split.validation & stratum).sum() - size / 10) <= 1


def test_held_out_cells_hold_the_pairs_of_their_side_and_a_tenth_of_the_unknown_cells():
    split = stratified_pair_split(TRUTH, seed=0)

    assert ((split.validation_cells & TRUTH.pairs) == split.validation).all()
    assert ((split.test_cells & TRUTH.pairs) == split.test).all()
    assert not (split.validation_cells & split.test_cells).any()
    assert abs((split.test_cells & ~TRUTH.pairs).sum() - (~TRUTH.pairs).sum() / 10) <= 1


def test_pair_split_differs_by_seed_and_repeats_with_it():
    first, again, other = (stratified_pair_split(TRUTH, seed) for seed in (1, 1, 2))

    assert (first.test == again.test).all()
    assert (first.test != other.test).any()


def test_pair_split_refuses_too_few_pairs():
    truth = TruthMatrix.from_snapshot(synthetic_snapshot(2, 2, 1.0))

    with pytest.raises(SplitError, match="too few"):
        stratified_pair_split(truth, seed=0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_rows_of_a_fold_are_disjoint_and_complete(protocol):
    for fold in protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0):
        rows = [*fold.training_rows, *fold.validation_rows, *fold.test_rows]

        assert sorted(rows) == list(range(len(SNAPSHOT.correlations)))


@pytest.mark.parametrize("protocol", ["P1", "P2", "P3"])
def test_outer_folds_hold_out_every_row_and_every_cell_exactly_once(protocol):
    folds = protocol_folds(protocol, SNAPSHOT, TRUTH, seed=4)

    assert sorted(row for fold in folds for row in fold.test_rows) == list(range(len(SNAPSHOT.correlations)))
    assert (np.sum([fold.test_cells.astype(int) for fold in folds], axis=0) == 1).all()


def test_p0_splits_rows_so_that_pairs_recur_on_both_sides():
    (fold,) = protocol_folds("P0", SNAPSHOT, TRUTH, seed=0)
    trained, held_out = (pair_mask(SNAPSHOT, TRUTH, rows) for rows in (fold.training_rows, fold.test_rows))

    assert (trained & held_out).any()
    assert len(fold.test_rows) == pytest.approx(len(SNAPSHOT.correlations) / 10, abs=1)


def test_p0_is_stratified_by_quality():
    (fold,) = protocol_folds("P0", SNAPSHOT, TRUTH, seed=0)

    for quality in ("poor", "moderate", "good"):
        total = sum(row.quality == quality for row in SNAPSHOT.correlations)
        held_out = sum(SNAPSHOT.correlations[row].quality == quality for row in fold.test_rows)
        assert abs(held_out - total / 10) <= 1


def test_p1_keeps_all_doses_of_a_pair_on_one_side():
    for fold in protocol_folds("P1", SNAPSHOT, TRUTH, seed=0):
        sides = [pair_mask(SNAPSHOT, TRUTH, r) for r in (fold.training_rows, fold.validation_rows, fold.test_rows)]

        assert (np.sum([side.astype(int) for side in sides], axis=0) == TRUTH.pairs).all()


def test_p1_folds_are_stratified_by_quality():
    for fold in protocol_folds("P1", SNAPSHOT, TRUTH, seed=0):
        for quality in (1, 2, 3):
            stratum = TRUTH.quality_of_pair == quality
            assert abs((fold.test_cells & stratum).sum() - stratum.sum() / 5) <= 1


@pytest.mark.parametrize(("protocol", "axis"), [("P2", 1), ("P3", 0)])
def test_p2_keeps_practices_and_p3_keeps_targets_on_one_side(protocol, axis):
    for fold in protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0):
        sides = [
            pair_mask(SNAPSHOT, TRUTH, rows).any(axis=axis)
            for rows in (fold.training_rows, fold.validation_rows, fold.test_rows)
        ]
        assert max(sum(side.astype(int) for side in sides)) == 1


def test_more_folds_than_pairs_is_refused():
    snapshot = synthetic_snapshot(2, 2, 1.0)

    with pytest.raises(SplitError, match="too little data"):
        protocol_folds("P1", snapshot, TruthMatrix.from_snapshot(snapshot), seed=0, folds=5)


def test_unknown_protocol_is_refused():
    with pytest.raises(SplitError, match="P9"):
        protocol_folds("P9", SNAPSHOT, TRUTH, seed=0)


def test_rows_snapshot_keeps_the_catalogue_and_the_named_rows():
    part = rows_snapshot(SNAPSHOT, [5, 2])

    assert part.practices == SNAPSHOT.practices
    assert part.targets == SNAPSHOT.targets
    assert part.correlations == (SNAPSHOT.correlations[2], SNAPSHOT.correlations[5])


def test_sides_are_dealt_by_chance_not_by_position():
    shares = np.mean([protocol_folds("P1", SNAPSHOT, TRUTH, seed=s)[0].test_cells for s in range(40)], axis=0)

    assert shares.min() > 0.0
    assert shares.max() < 0.6


@pytest.mark.parametrize("protocol", ["P2", "P3"])
def test_a_record_held_out_whole_is_unseen_whether_it_has_links_or_not(protocol):
    """Else being unseen would say that a record has links."""
    pairs = TRUTH.pairs.copy()
    pairs[0], pairs[:, 0] = False, False
    truth = TRUTH.only_pairs(pairs)
    bare = replace(
        SNAPSHOT,
        correlations=tuple(
            row
            for row in SNAPSHOT.correlations
            if pairs[truth.practices.index(row.practice), truth.targets.index(row.target)]
        ),
    )
    side = 0 if protocol == "P2" else 1
    folds = protocol_folds(protocol, bare, truth, seed=0)
    tested = [unseen_records(fold, validation=False)[side] for fold in folds]
    assert sorted(index for part in tested for index in part) == list(range(truth.pairs.shape[side]))
    for fold, test in zip(folds, tested, strict=True):
        assert test < unseen_records(fold, validation=True)[side]
        assert not unseen_records(fold, validation=True)[1 - side]


@pytest.mark.parametrize("protocol", ["P0", "P1"])
def test_protocols_that_hold_out_no_record_have_no_unseen_one(protocol):
    for fold in protocol_folds(protocol, SNAPSHOT, TRUTH, seed=0):
        assert unseen_records(fold, validation=True) == (frozenset(), frozenset())
