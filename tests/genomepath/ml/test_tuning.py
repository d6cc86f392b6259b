"""The grid of hyperparameters: its points, what one of them reaches without the test pairs, and what mattered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.leakage import LeakageError
from genomepath.ml.splits import stratified_pair_split
from genomepath.ml.tuning import GRID, TuningData, grid_points, tune_point
from genomepath.ml.tuning_effects import marginal_effects
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=16, targets=12)
POINT = {"learning_rate": 5e-4, "batch_rows": 16, "dropout": 0.1, "bridge": 128}


@pytest.fixture(scope="module")
def data() -> TuningData:
    truth = TruthMatrix.from_snapshot(SNAPSHOT)
    return TuningData(truth, stratified_pair_split(truth, 0), synthetic_features(SNAPSHOT))


def test_the_grid_is_the_specified_one():
    points = list(grid_points())

    assert len(points) == len({tuple(point.values()) for point in points}) == 108
    assert points[0] == {"learning_rate": 1e-5, "batch_rows": 16, "dropout": 0.05, "bridge": 128}
    assert {name: {point[name] for point in points} for name in GRID} == {
        name: set(cell) for name, cell in GRID.items()
    }


def test_a_point_tells_what_it_reached_and_what_it_took(data):
    result = tune_point(data, "small", POINT, seed=0, epochs=3)

    assert result.mrr == pytest.approx((result.tk_to_genomic_mrr + result.genomic_to_tk_mrr) / 2)
    assert 0 < result.mrr <= 1
    assert 0 < result.chance_mrr < 1
    assert 0 <= result.best_epoch <= result.epochs <= 3
    assert result.seconds > 0
    assert result.peak_mib > 50


def test_what_comes_after_an_epoch_can_end_the_point(data):
    epochs: list[str] = []

    def stop_after_the_second() -> None:
        epochs.append("done")
        if len(epochs) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        tune_point(data, "small", POINT, seed=0, epochs=4, on_epoch=stop_after_the_second)

    assert len(epochs) == 2


def test_equal_points_reach_the_same(data):
    first, second = (tune_point(data, "small", POINT, seed=0, epochs=2) for _ in range(2))

    assert replace(first, seconds=0, peak_mib=0) == replace(second, seconds=0, peak_mib=0)


def test_the_test_pairs_of_the_split_are_not_looked_at(data):
    """Another truth on the test side leaves every number as it is."""
    swapped = data.truth.confidence.copy()
    swapped[:, :, :][np.broadcast_to(data.split.test[:, None, :], swapped.shape)] = 0.0
    blind = replace(data, truth=replace(data.truth, confidence=swapped))

    first, second = (tune_point(part, "small", POINT, seed=0, epochs=2) for part in (data, blind))

    assert replace(first, seconds=0, peak_mib=0) == replace(second, seconds=0, peak_mib=0)


def test_what_decides_the_result_explains_its_variance():
    points = [{**point, "mrr": 0.5 + 0.1 * (point["dropout"] == 0.2)} for point in grid_points()]

    effects = marginal_effects(points)

    assert effects[0].name == "dropout"
    assert effects[0].share == pytest.approx(1.0)
    assert [effect.share for effect in effects[1:]] == pytest.approx([0.0] * 3)
    assert [(cell.value, cell.points) for cell in effects[0].values] == [(0.05, 36), (0.1, 36), (0.2, 36)]
    assert effects[0].values[2].mean == pytest.approx(0.6)


def test_shares_of_noise_add_up_to_no_more_than_the_whole():
    rng = np.random.default_rng(0)
    points = [{**point, "mrr": float(rng.random())} for point in grid_points()]

    effects = marginal_effects(points)

    assert sum(effect.share for effect in effects) < 0.3
    for effect in effects:
        for cell in effect.values:
            own = [point["mrr"] for point in points if point[effect.name] == cell.value]
            assert (cell.low, cell.high) == (min(own), max(own))
            assert cell.mean == pytest.approx(np.mean(own))


def test_equal_results_explain_nothing():
    effects = marginal_effects([{**point, "mrr": 0.5} for point in grid_points()])

    assert [effect.share for effect in effects] == [0.0] * 4


@pytest.mark.parametrize(("side", "message"), [("train", "training and test"), ("validation", "validation and test")])
def test_a_point_with_a_test_pair_on_another_side_fails(data, side, message):
    leaking = replace(data.split, **{side: getattr(data.split, side) | data.split.test})

    with pytest.raises(LeakageError, match=message):
        tune_point(replace(data, split=leaking), "small", POINT, seed=0, epochs=1)
