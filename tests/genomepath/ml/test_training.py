from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.fitting import FitCallbacks, FitStorage, FittedModel, TrainingError, TrainingInterrupted
from genomepath.ml.optimisation import cosine_learning_rate
from genomepath.ml.scores import Scores
from genomepath.ml.splits import stratified_pair_split
from genomepath.ml.training import fit
from genomepath.ml.training_state import TrainingStateError
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot()
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)
SPLIT = stratified_pair_split(TRUTH, 0)
TRAINING, VALIDATION = TRUTH.only_pairs(SPLIT.train), TRUTH.only_pairs(SPLIT.validation)
CONFIG = preset_config("small", epochs=6, state_every=2, metrics_every=4)


@pytest.fixture(scope="module")
def features():
    return synthetic_features(SNAPSHOT)


def weights_sha256(fitted: FittedModel) -> str:
    return hashlib.sha256(save(fitted.model.state_dict())).hexdigest()


def test_two_trainings_with_one_seed_give_the_same_weights(features):
    first = fit(features, TRAINING, VALIDATION, CONFIG, seed=7)
    torch.randn(5)
    second = fit(features, TRAINING, VALIDATION, CONFIG, seed=7)
    assert weights_sha256(first) == weights_sha256(second)
    assert first.history == second.history


def test_calibration_sees_an_unseen_practice_without_its_other_validation_links(features):
    unseen = 0
    rows = np.zeros_like(TRUTH.pairs)
    rows[unseen] = True
    fitted = fit(features, TRUTH.without_pairs(rows), TRUTH.only_pairs(rows), CONFIG, seed=0)
    scores = fitted.score(features)
    fitted.model.pairs.links.copy_(torch.from_numpy(TRUTH.without_pairs(rows).pairs))
    without = fitted.score(features)

    read, seen = scores.to_calibrate_on, TRUTH.without_pairs(rows).pairs
    known = np.ix_(seen.any(axis=1), np.ones(3, dtype=np.bool_), seen.any(axis=0))
    np.testing.assert_allclose(read.tk_to_genomic[unseen], without.tk_to_genomic[unseen], atol=1e-6)
    np.testing.assert_allclose(read.genomic_to_tk[:, unseen], without.genomic_to_tk[:, unseen], atol=1e-6)
    np.testing.assert_allclose(read.tk_to_genomic[known], scores.tk_to_genomic[known], atol=1e-6)
    assert np.abs(scores.tk_to_genomic[unseen] - without.tk_to_genomic[unseen]).max() > 0.01


def test_another_seed_gives_other_weights(features):
    first, second = (fit(features, TRAINING, VALIDATION, CONFIG, seed=seed) for seed in (0, 1))
    assert weights_sha256(first) != weights_sha256(second)


def test_training_leaves_the_random_state_of_the_process_alone(features):
    torch.manual_seed(3)
    expected = torch.randn(4)
    torch.manual_seed(3)
    fit(features, TRAINING, VALIDATION, CONFIG, seed=0)
    torch.testing.assert_close(torch.randn(4), expected)


def test_a_resumed_run_equals_an_uninterrupted_one(features, tmp_path):
    state = tmp_path / "state.safetensors"
    asked = iter([False, False, True])
    with pytest.raises(TrainingInterrupted) as stopped:
        fit(
            features,
            TRAINING,
            VALIDATION,
            CONFIG,
            seed=0,
            callbacks=FitCallbacks(should_stop=lambda: next(asked)),
            storage=FitStorage(state_file=state),
        )
    epochs: list[int] = []
    resumed = fit(
        features,
        TRAINING,
        VALIDATION,
        CONFIG,
        seed=0,
        callbacks=FitCallbacks(on_epoch=lambda epoch, total, record: epochs.append(epoch)),
        storage=FitStorage(state_file=state, resume=True),
    )
    whole = fit(features, TRAINING, VALIDATION, CONFIG, seed=0)
    assert stopped.value.epoch == 3
    assert epochs == [4, 5, 6]
    assert weights_sha256(resumed) == weights_sha256(whole)
    assert resumed.history == whole.history
    assert resumed.best_epoch == whole.best_epoch


def test_after_a_crash_the_run_goes_on_from_the_last_saved_epoch(features, tmp_path):
    state = tmp_path / "state.safetensors"

    def crash(epoch: int, total: int, record: object) -> None:
        if epoch == 5:
            raise OSError("the machine went away")

    with pytest.raises(OSError, match="went away"):
        fit(
            features,
            TRAINING,
            VALIDATION,
            CONFIG,
            seed=0,
            callbacks=FitCallbacks(on_epoch=crash),
            storage=FitStorage(state_file=state),
        )
    resumed = fit(features, TRAINING, VALIDATION, CONFIG, seed=0, storage=FitStorage(state_file=state, resume=True))
    assert weights_sha256(resumed) == weights_sha256(fit(features, TRAINING, VALIDATION, CONFIG, seed=0))


@pytest.mark.parametrize("changed", ["seed", "config", "data"])
def test_a_state_of_another_run_is_refused(features, tmp_path, changed):
    state = tmp_path / "state.safetensors"
    fit(features, TRAINING, VALIDATION, CONFIG, seed=0, storage=FitStorage(state_file=state, data_key="a"))
    config = replace(CONFIG, dropout=0.2) if changed == "config" else CONFIG
    storage = FitStorage(state_file=state, resume=True, data_key="b" if changed == "data" else "a")
    with pytest.raises(TrainingStateError, match="another configuration, seed or data set"):
        fit(features, TRAINING, VALIDATION, config, seed=1 if changed == "seed" else 0, storage=storage)


def test_a_damaged_state_is_refused(features, tmp_path):
    state = tmp_path / "state.safetensors"
    state.write_bytes(b"no tensors here")
    with pytest.raises(TrainingStateError, match="not a readable training state"):
        fit(features, TRAINING, VALIDATION, CONFIG, seed=0, storage=FitStorage(state_file=state, resume=True))


def test_training_learns_its_side(features):
    config = preset_config("small", epochs=50, patience=50)
    fitted = fit(features, TRUTH, None, config, seed=0)
    scores = fitted.score(features)
    known, unknown = scores.pair_scores[TRUTH.pairs], scores.pair_scores[~TRUTH.pairs]
    assert (known[:, None] > unknown[None, :]).mean() > 0.9
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]


def test_scores_cover_the_catalogue_in_both_directions(features):
    scores = fit(features, TRAINING, VALIDATION, CONFIG, seed=0).score(features)
    assert scores.tk_to_genomic.shape == (12, 3, 10)
    assert scores.genomic_to_tk.shape == (10, 12)
    assert scores.tk_to_genomic.dtype == np.float32


def test_training_stops_when_validation_loss_stalls_and_keeps_the_best_epoch(features):
    config = preset_config("small", epochs=50, patience=2, learning_rate=0.02)
    fitted = fit(features, TRAINING, VALIDATION, config, seed=0)
    losses = [record["validation_listwise"] for record in fitted.history]
    assert len(losses) < 50
    assert fitted.best_epoch in {0, int(np.argmin(losses)) + 1}
    assert len(losses) == max(fitted.best_epoch + 2, 2)


def test_the_weights_are_those_of_the_best_epoch(features):
    seen: dict[int, Scores] = {}
    config = preset_config("small", epochs=12, patience=12, learning_rate=0.02, metrics_every=1)
    callbacks = FitCallbacks(evaluate_epoch=lambda epoch, scores: seen.update({epoch: scores}) or {})
    fitted = fit(features, TRAINING, VALIDATION, config, seed=0, callbacks=callbacks)
    assert fitted.best_epoch < 12
    found = fitted.score(features).tk_to_genomic
    distances = {epoch: float(np.abs(found - scores.tk_to_genomic).max()) for epoch, scores in seen.items()}
    assert min(distances, key=lambda epoch: distances[epoch]) == fitted.best_epoch


def test_without_validation_the_last_epoch_is_kept(features):
    fitted = fit(features, TRAINING, None, CONFIG, seed=0)
    assert fitted.best_epoch == len(fitted.history) == 6
    assert "validation_loss" not in fitted.history[-1]


def test_metrics_come_every_few_epochs_and_at_the_end(features):
    callbacks = FitCallbacks(evaluate_epoch=lambda epoch, scores: {"mrr": epoch / 10})
    fitted = fit(features, TRAINING, VALIDATION, CONFIG, seed=0, callbacks=callbacks)
    assert {row["epoch"]: row["metrics"] for row in fitted.history if "metrics" in row} == {
        4: {"mrr": 0.4},
        6: {"mrr": 0.6},
    }


def test_the_learning_rate_follows_the_cosine_of_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
    for epoch in range(50):
        assert cosine_learning_rate(1e-4, epoch, 50) == pytest.approx(scheduler.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        scheduler.step()


def test_an_epoch_takes_every_practice_dose_row_once_in_batches(features, tmp_path):
    """36 practice-dose rows in batches of 16 are 3 steps of the optimiser."""
    state = tmp_path / "state.safetensors"
    config = preset_config("small", epochs=1, batch_rows=16, state_every=1)
    fit(features, TRAINING, VALIDATION, config, seed=0, storage=FitStorage(state_file=state))
    assert load_file(state)["moments:practice_encoder.projection.weight/step"].item() == 3


def test_training_leaves_the_precision_of_matrix_products_as_it_was(features):
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    fit(features, TRAINING, VALIDATION, preset_config("small", epochs=1), seed=0)
    assert matmul.fp32_precision == before


def test_nothing_to_learn_from_is_refused(features):
    with pytest.raises(TrainingError, match="no known pair"):
        fit(features, TRUTH.only_pairs(np.zeros_like(TRUTH.pairs)), None, CONFIG, seed=0)


def test_features_of_another_catalogue_are_refused():
    other = synthetic_features(synthetic_snapshot(practices=5))
    with pytest.raises(TrainingError, match="do not fit"):
        fit(other, TRAINING, VALIDATION, CONFIG, seed=0)


def test_a_loss_that_is_not_finite_ends_the_run_with_a_reason(features):
    broken = replace(features, practice_tokens=np.full_like(features.practice_tokens, np.nan))
    with pytest.raises(TrainingError, match="not finite"):
        fit(broken, TRAINING, None, CONFIG, seed=0)
