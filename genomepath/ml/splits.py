"""Splits of the evaluation protocol, all seeded and stratified by quality.

======== ====================================================== ==========================================
protocol held out                                               what it measures
======== ====================================================== ==========================================
P0       10% of correlation rows; a pair recurs on both sides   memory (shown beside the memoriser)
P1       pairs, all doses and directions of a pair together     links between known practices and targets
P2       practices with all their pairs                         unseen practices
P3       targets with all their pairs                           unseen targets
======== ====================================================== ==========================================

P1 to P3 are nested: the training side of an outer fold gives up an inner validation part by the same rule, for early
stopping, and names other parts of it, each of which is held out from a fit of its own, for calibration. Indices point into
``snapshot.correlations``; masks are bool [P, G].

Cells without a known pair are dealt to the sides at the same rate as the pairs. Ranking does not need that, calibration
does: it is fitted on held-out cells of the training side and judged on the test cells, two disjoint samples with one base
rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.scores import BoolArray
from genomepath.ml.snapshot import Snapshot

if TYPE_CHECKING:
    from genomepath.ml.dataset import TruthMatrix

PROTOCOLS: tuple[str, ...] = ("P0", "P1", "P2", "P3")
QUALITIES: tuple[str, ...] = ("poor", "moderate", "good")
INNER_FOLDS = 8
"""The inner validation part is one eighth of the training side: 10% of all pairs when 5 outer folds hold out 20%."""
CALIBRATION_PARTS = INNER_FOLDS - 1
"""As many parts of that size calibrate: all but the one that the training stops by."""

_ROW_SLOTS = 10
IntArray = NDArray[np.intp]


class SplitError(ValueError):
    """The data is too small for the split asked for, or the protocol is unknown."""


@dataclass(frozen=True)
class PairSplit:
    """Known pairs by side, bool [P, G] each; disjoint, and together all known pairs.

    ``validation_cells`` and ``test_cells`` hold the pairs of that side and its share of the unknown cells, and each of
    ``calibration_parts`` a part of the training pairs with its share of them.
    """

    train: BoolArray
    validation: BoolArray
    test: BoolArray
    validation_cells: BoolArray
    test_cells: BoolArray
    calibration_parts: tuple[BoolArray, ...]


@dataclass(frozen=True, eq=False)
class Fold:
    """One outer fold of a protocol as row indices into ``snapshot.correlations``, with the held-out cells [P, G].

    ``calibration_parts`` are cells of the training side, to be held out one after the other (``calibration_folds``).
    P0 holds out rows, which are no cells of their own: its cell masks are empty, and it is not calibrated.
    """

    protocol: str
    seed: int
    index: int
    training_rows: tuple[int, ...]
    validation_rows: tuple[int, ...]
    test_rows: tuple[int, ...]
    validation_cells: BoolArray
    test_cells: BoolArray
    calibration_parts: tuple[BoolArray, ...] = ()


def stratified_pair_split(truth: TruthMatrix, seed: int) -> PairSplit:
    """Pairs 80/10/10, stratified by quality; the split that the shipped model trains on.

    Raises:
        SplitError: fewer than 10 known pairs, so that a side would be empty.
    """
    known = truth.pairs
    if int(known.sum()) < _ROW_SLOTS:
        raise SplitError(f"{int(known.sum())} known pairs are too few for an 80/10/10 split")
    slots = _deal(np.ones_like(known), _pair_strata(truth), _ROW_SLOTS, np.random.default_rng([seed, 80]))
    test, validation = slots == 0, slots == 1
    return PairSplit(
        train=known & ~test & ~validation,
        validation=known & validation,
        test=known & test,
        validation_cells=validation,
        test_cells=test,
        calibration_parts=tuple(slots == slot for slot in range(2, 2 + CALIBRATION_PARTS)),
    )


def protocol_folds(
    protocol: str, snapshot: Snapshot, truth: TruthMatrix, *, seed: int, folds: int = 5
) -> tuple[Fold, ...]:
    """The outer folds of a protocol: one for P0, ``folds`` for P1, P2 and P3.

    Raises:
        SplitError: an unknown protocol, or fewer pairs, practices or targets than folds.
    """
    if protocol == "P0":
        return (_row_fold(snapshot, truth, seed),)
    if protocol not in PROTOCOLS:
        raise SplitError(f"unknown protocol {protocol!r}: known are {', '.join(PROTOCOLS)}")
    rows = _row_cells(snapshot, truth)
    everywhere = np.ones_like(truth.pairs)
    groups = _deal_units(protocol, truth, everywhere, folds, np.random.default_rng([seed, folds]))
    result = []
    for index in range(folds):
        test = groups == index
        inner = _deal_units(protocol, truth, ~test, INNER_FOLDS, np.random.default_rng([seed, folds, index]))
        parts = tuple(inner == part for part in range(1, 1 + CALIBRATION_PARTS))
        fold = _cell_fold(rows, inner == 0, test, protocol=protocol, seed=seed, index=index)
        if not (fold.test_rows and fold.validation_rows and fold.training_rows):
            raise SplitError(f"{protocol}: too little data for {folds} outer folds with an inner validation part")
        result.append(replace(fold, calibration_parts=parts))
    return tuple(result)


def calibration_folds(fold: Fold, snapshot: Snapshot, truth: TruthMatrix) -> tuple[Fold, ...]:
    """The fold with each of its calibration parts in the place of the validation part, which is trained on then. Parts
    without a known pair are left out: nothing could be fitted on them."""
    rows = _row_cells(snapshot, truth)
    nested = (
        _cell_fold(rows, part, fold.test_cells, protocol=fold.protocol, seed=fold.seed, index=fold.index)
        for part in fold.calibration_parts
    )
    return tuple(part for part in nested if part.validation_rows)


def rows_snapshot(snapshot: Snapshot, rows: Sequence[int]) -> Snapshot:
    """The snapshot with the named correlation rows alone; practices and targets stay, they are the catalogue."""
    return replace(snapshot, correlations=tuple(snapshot.correlations[row] for row in sorted(rows)))


def pair_mask(snapshot: Snapshot, truth: TruthMatrix, rows: Sequence[int]) -> BoolArray:
    """The pairs of the named correlation rows, bool [P, G]."""
    mask = np.zeros(truth.pairs.shape, dtype=bool)
    cells = _row_cells(snapshot, truth)[list(rows)]
    mask[cells[:, 0], cells[:, 1]] = True
    return mask


def unseen_records(fold: Fold, *, validation: bool) -> tuple[frozenset[int], frozenset[int]]:
    """Practices (P2) and targets (P3) that the fold holds out whole, linked or not: those of the test part, with
    ``validation`` those of the validation part too. The other protocols hold out no record."""
    held_out = fold.test_cells | fold.validation_cells if validation else fold.test_cells
    nothing: frozenset[int] = frozenset()
    if fold.protocol == "P2":
        return frozenset(np.flatnonzero(held_out.all(axis=1)).tolist()), nothing
    if fold.protocol == "P3":
        return nothing, frozenset(np.flatnonzero(held_out.all(axis=0)).tolist())
    return nothing, nothing


def row_pairs(snapshot: Snapshot, truth: TruthMatrix, rows: Sequence[int]) -> IntArray:
    """(practice index, target index) of each named row, int [len(rows), 2]; a pair recurs where its rows do."""
    return _row_cells(snapshot, truth)[list(rows)]


def _cell_fold(rows: IntArray, validation: BoolArray, test: BoolArray, *, protocol: str, seed: int, index: int) -> Fold:
    """The fold that the cell masks make of the rows (int [rows, 2], practice and target index)."""
    return Fold(
        protocol=protocol,
        seed=seed,
        index=index,
        training_rows=_rows_in(~validation & ~test, rows),
        validation_rows=_rows_in(validation, rows),
        test_rows=_rows_in(test, rows),
        validation_cells=validation,
        test_cells=test,
    )


def _row_fold(snapshot: Snapshot, truth: TruthMatrix, seed: int) -> Fold:
    """80/10/10 over correlation rows, stratified by quality."""
    total = len(snapshot.correlations)
    if total < _ROW_SLOTS:
        raise SplitError(f"P0: {total} correlation rows are too few for an 80/10/10 split")
    strata = np.array([QUALITIES.index(row.quality) for row in snapshot.correlations])
    slots = _deal(np.ones(total, dtype=bool), strata, _ROW_SLOTS, np.random.default_rng([seed, 0]))
    test, validation, training = (_as_tuple(np.flatnonzero(mask)) for mask in (slots == 0, slots == 1, slots > 1))
    empty = np.zeros_like(truth.pairs)
    return Fold("P0", seed, 0, training, validation, test, validation_cells=empty, test_cells=empty)


def _deal_units(
    protocol: str, truth: TruthMatrix, mask: BoolArray, slots: int, rng: np.random.Generator
) -> NDArray[np.int_]:
    """Group number of each cell in ``mask`` ([P, G], -1 outside) by the unit that the protocol holds together."""
    if protocol == "P1":
        return _deal(mask, _pair_strata(truth), slots, rng)
    axis = 1 if protocol == "P2" else 0
    best_quality = np.where(mask, _pair_strata(truth), 0).max(axis=axis)
    present: BoolArray = np.asarray(mask.any(axis=axis))
    unit_groups = _deal(present, best_quality, slots, rng)
    spread = unit_groups[:, None] if axis == 1 else unit_groups[None, :]
    return np.where(mask, spread, -1)


def _deal(mask: BoolArray, strata: NDArray[np.int_], slots: int, rng: np.random.Generator) -> NDArray[np.int_]:
    """Deal the members of ``mask`` round-robin into ``slots`` groups, stratum by stratum in random order.

    The deal goes on from one stratum to the next, so group sizes differ by at most one overall and in each stratum.
    """
    members = np.flatnonzero(mask)
    shuffled = rng.permutation(members)
    ordered = shuffled[np.argsort(strata.ravel()[shuffled], kind="stable")]
    groups = np.full(mask.size, -1, dtype=int)
    groups[ordered] = np.arange(len(ordered)) % slots
    return groups.reshape(mask.shape)


def _pair_strata(truth: TruthMatrix) -> NDArray[np.int_]:
    return np.asarray(truth.quality_of_pair, dtype=int)


def _row_cells(snapshot: Snapshot, truth: TruthMatrix) -> IntArray:
    practice_index = {slug: index for index, slug in enumerate(truth.practices)}
    target_index = {symbol: index for index, symbol in enumerate(truth.targets)}
    cells = [(practice_index[row.practice], target_index[row.target]) for row in snapshot.correlations]
    return np.array(cells, dtype=np.intp).reshape(-1, 2)


def _rows_in(mask: BoolArray, cells: IntArray) -> tuple[int, ...]:
    return _as_tuple(np.flatnonzero(mask[cells[:, 0], cells[:, 1]]))


def _as_tuple(indices: NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(int(index) for index in indices)
