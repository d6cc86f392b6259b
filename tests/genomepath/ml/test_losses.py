from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.losses import direction_loss, held_out_listwise_loss, held_out_loss, listwise_loss
from tests.genomepath.ml.synthetic import synthetic_snapshot


def test_a_positive_weighs_its_confidence_and_a_negative_one():
    loss = direction_loss(torch.zeros(1, 2), torch.tensor([[0.5, 0.0]]))
    assert loss.item() == pytest.approx((0.5 * math.log(2) + math.log(2)) / 2)


def test_cells_left_out_do_not_count():
    logits = torch.tensor([[0.0, 50.0]])
    loss = direction_loss(logits, torch.zeros(1, 2), torch.tensor([[True, False]]))
    assert loss.item() == pytest.approx(math.log(2))


def split_truth() -> tuple[TruthMatrix, TruthMatrix]:
    truth = TruthMatrix.from_snapshot(synthetic_snapshot())
    mask = np.zeros(truth.pairs.shape, dtype=bool)
    mask[::3] = True
    return truth.without_pairs(mask), truth.only_pairs(mask)


def test_held_out_loss_ignores_training_pairs():
    training, validation = split_truth()
    forward, backward = torch.zeros(training.confidence.shape), torch.zeros(training.pairs.T.shape)
    before = held_out_loss(preset_config("small"), (forward, backward), training, validation)
    forward[torch.from_numpy(training.confidence > 0)] = 30.0
    backward[torch.from_numpy(training.pairs.T)] = 30.0
    assert held_out_loss(preset_config("small"), (forward, backward), training, validation) == pytest.approx(before)


def test_held_out_loss_falls_when_validation_pairs_are_found():
    training, validation = split_truth()
    forward, backward = torch.full(training.confidence.shape, -2.0), torch.full(training.pairs.T.shape, -2.0)
    before = held_out_loss(preset_config("small"), (forward, backward), training, validation)
    forward[torch.from_numpy(validation.confidence > 0)] = 2.0
    backward[torch.from_numpy(validation.pairs.T)] = 2.0
    assert held_out_loss(preset_config("small"), (forward, backward), training, validation) < before


def test_directions_weigh_six_to_four():
    training, validation = split_truth()
    zero = torch.zeros(training.pairs.T.shape)
    config = preset_config("small", genomic_to_tk_weight=0.0)
    only_forward = held_out_loss(config, (torch.zeros(training.confidence.shape), zero), training, validation)
    both = held_out_loss(preset_config("small"), (torch.zeros(training.confidence.shape), zero), training, validation)
    config = preset_config("small", tk_to_genomic_weight=0.0)
    only_backward = held_out_loss(config, (torch.zeros(training.confidence.shape), zero), training, validation)
    assert both == pytest.approx(only_forward + only_backward)
    assert config.genomic_to_tk_weight == 0.4


def test_listwise_loss_is_the_log_share_of_a_positive_among_itself_and_the_negatives():
    logits = torch.tensor([[1.0, 3.0, 0.0, 2.0]])
    confidence = torch.tensor([[0.5, 0.8, 0.0, 0.0]])
    shares = [math.log(math.exp(own) / (math.exp(own) + math.exp(0.0) + math.exp(2.0))) for own in (1.0, 3.0)]
    expected = -(0.5 * shares[0] + 0.8 * shares[1]) / 1.3
    assert listwise_loss(logits, confidence).item() == pytest.approx(expected, rel=1e-5)


def test_cells_left_out_neither_count_nor_compete_in_a_list():
    logits = torch.tensor([[1.0, 50.0, 50.0, 2.0]])
    confidence = torch.tensor([[0.5, 0.9, 0.0, 0.0]])
    included = torch.tensor([[True, False, False, True]])
    expected = math.log(1 + math.exp(2.0 - 1.0))
    assert listwise_loss(logits, confidence, included).item() == pytest.approx(expected, rel=1e-5)


def test_a_list_without_positives_costs_nothing():
    assert listwise_loss(torch.randn(2, 3), torch.zeros(2, 3)).item() == 0.0


def test_held_out_listwise_loss_ignores_training_pairs():
    training, validation = split_truth()
    forward, backward = torch.zeros(training.confidence.shape), torch.zeros(training.pairs.T.shape)
    before = held_out_listwise_loss(preset_config("small"), (forward, backward), training, validation)
    forward[torch.from_numpy(training.confidence > 0)] = 30.0
    backward[torch.from_numpy(training.pairs.T)] = 30.0
    after = held_out_listwise_loss(preset_config("small"), (forward, backward), training, validation)
    assert after == pytest.approx(before)
