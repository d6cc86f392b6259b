"""Leakage checks: each raises LeakageError, which fails the run, and names what stood on two sides.

The runner calls them for every fold before and after a scorer is asked. They look at what is handed over (rows, truth
matrices, calibration cells), not at how a split was made, so that a mistake in a split is found as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from genomepath.ml.ranks import Ranks
from genomepath.ml.scores import BoolArray
from genomepath.ml.snapshot import Snapshot
from genomepath.ml.splits import Fold, PairSplit, pair_mask

if TYPE_CHECKING:
    from genomepath.ml.dataset import TruthMatrix

CHECKS: tuple[str, ...] = (
    "no correlation row on two sides",
    "no (practice, target) pair on two sides (P1, P2, P3)",
    "no practice (P2) or target (P3) on two sides",
    "no held-out pair in the truth, snapshot or validation part given to a scorer",
    "no calibration cell is a test cell or a trained pair",
    "no scorer places every held-out pair first (P1, P2, P3)",
)
MINIMUM_PAIRS = 20
_SHOWN = 3


class LeakageError(RuntimeError):
    """Something that should be held out was seen; no number of this run may be used."""


def check_fold(fold: Fold, snapshot: Snapshot, truth: TruthMatrix) -> None:
    """A fold keeps its promise: rows apart always, pairs apart in P1-3, practices apart in P2, targets apart in P3."""
    sides = {"training": fold.training_rows, "validation": fold.validation_rows, "test": fold.test_rows}
    names = list(sides)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            shared = sorted(set(sides[first]) & set(sides[second]))
            if shared:
                keys = [_row_name(snapshot, row) for row in shared]
                raise LeakageError(f"{fold.protocol}: correlation rows in {first} and {second}: {_list(keys)}")
            if fold.protocol != "P0":
                masks = [pair_mask(snapshot, truth, sides[name]) for name in (first, second)]
                check_pairs_disjoint(masks[0], masks[1], truth, f"{fold.protocol}: {first} and {second}")
                _check_units_disjoint(fold.protocol, masks[0], masks[1], truth, f"{first} and {second}")


def check_pairs_disjoint(first: BoolArray, second: BoolArray, truth: TruthMatrix, sides: str) -> None:
    """No (practice, target) pair is in both masks, bool [P, G]."""
    shared = first & second
    if shared.any():
        raise LeakageError(f"{sides} share (practice, target) pairs: {_list(_pair_names(shared, truth))}")


def check_split(split: PairSplit, truth: TruthMatrix) -> None:
    """No pair stands on two sides of the split that a model is trained on, and none that calibrates on the test side."""
    sides = {"training": split.train, "validation": split.validation, "test": split.test}
    for first, second in combinations(sides, 2):
        check_pairs_disjoint(sides[first], sides[second], truth, f"{first} and {second}")
    for cells in (split.validation_cells, *split.calibration_parts):
        check_pairs_disjoint(cells, split.test_cells, truth, "calibration and test")


def check_fed_truth(fed: TruthMatrix, held_out: BoolArray, whole: TruthMatrix, part: str) -> None:
    """The truth handed to a scorer holds no held-out pair and keeps the catalogue (order included)."""
    if fed.practices != whole.practices or fed.targets != whole.targets:
        raise LeakageError(f"{part}: the truth handed over has another catalogue than the evaluation")
    shared = fed.pairs & held_out
    if shared.any():
        raise LeakageError(f"{part} holds held-out pairs, the answer itself: {_list(_pair_names(shared, whole))}")


def check_fed_snapshot(fed: Snapshot, held_out: BoolArray, truth: TruthMatrix) -> None:
    """The snapshot handed to a scorer holds no correlation row of a held-out pair."""
    mask = pair_mask(fed, truth, range(len(fed.correlations))) if fed.correlations else np.zeros_like(held_out)
    check_pairs_disjoint(mask, held_out, truth, "the snapshot handed to a scorer and the test side")


def check_calibration(calibration: BoolArray, test: BoolArray, trained: BoolArray, truth: TruthMatrix) -> None:
    """The cells (bool [P, G]) that calibration is fitted on hold no test cell and no pair that was trained on."""
    check_pairs_disjoint(calibration, test, truth, "calibration and test")
    check_pairs_disjoint(calibration, trained, truth, "calibration and training")


def check_not_the_answer(ranks: Iterable[Ranks], name: str) -> None:
    """A scorer does not place every held-out pair (of a fold, or of all folds) first, in both directions.

    No honest scorer does so on 20 pairs or more; one that was fed the answer by another way (a cache, a file, a
    feature) does. The oracle row of rule-derived labels is exempt: it is the rule, and is compared with nothing.
    """
    both = list(ranks)
    if all(len(part.ranks) >= MINIMUM_PAIRS and bool((part.ranks == 1.0).all()) for part in both):
        raise LeakageError(f"scorer {name!r} places all held-out pairs first: it was fed the answer")


def _check_units_disjoint(protocol: str, first: BoolArray, second: BoolArray, truth: TruthMatrix, sides: str) -> None:
    if protocol == "P2":
        shared, names, unit = first.any(axis=1) & second.any(axis=1), truth.practices, "practices"
    elif protocol == "P3":
        shared, names, unit = first.any(axis=0) & second.any(axis=0), truth.targets, "targets"
    else:
        return
    if shared.any():
        found = [names[index] for index in np.flatnonzero(shared)]
        raise LeakageError(f"{protocol}: {sides} share {unit}: {_list(found)}")


def _pair_names(mask: BoolArray, truth: TruthMatrix) -> Iterable[str]:
    return [f"{truth.practices[practice]} / {truth.targets[target]}" for practice, target in np.argwhere(mask)]


def _row_name(snapshot: Snapshot, row: int) -> str:
    record = snapshot.correlations[row]
    return f"{record.practice} / {record.target} / {record.dose} / {record.direction}"


def _list(names: Iterable[str]) -> str:
    found: Sequence[str] = list(names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
