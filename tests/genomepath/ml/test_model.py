from __future__ import annotations

import pytest
import torch

from genomepath.ml.config import preset_config
from genomepath.ml.field_encoder import TokenLayout
from genomepath.ml.model import DualTower, mean_for_new

CONFIG = preset_config("small")


@pytest.fixture
def model() -> DualTower:
    torch.manual_seed(0)
    return DualTower(CONFIG, practices=7, targets=5).eval()


def records(batch: int, length: int, real: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(batch, length, 384, generator=generator)
    mask = torch.arange(length)[None, :] < torch.tensor(real)[:, None]
    return tokens * mask.unsqueeze(-1), torch.zeros(batch, length, dtype=torch.long), mask


def test_the_specified_model_has_the_specified_widths():
    model = DualTower(preset_config("spec"), practices=30, targets=46)
    assert model.practice_encoder.projection.weight.shape == (512, 384)
    assert len(model.practice_encoder.layers) == len(model.target_encoder.layers) == 4
    forward, backward = model.tk_to_genomic_head.state_dict(), model.genomic_to_tk_head.state_dict()
    assert forward["0.weight"].shape == backward["0.weight"].shape == (384, 768)
    assert forward["3.weight"].shape == (46, 384)
    assert backward["3.weight"].shape == (30, 384)
    assert model.shared_practice(torch.randn(2, 512)).shape == (2, 256)


def test_packed_and_padded_computation_agree(model):
    batch = records(4, 9, [2, 9, 1, 2])
    packed = model.practice_encoder(*batch)
    model.practice_encoder.packed = False
    padded = model.practice_encoder(*batch)
    assert packed.layout.groups == ((1, 1), (2, 2), (1, 9))
    torch.testing.assert_close(packed.pooled, padded.pooled)
    torch.testing.assert_close(packed.tokens, packed.layout.take(padded.tokens.view(4, 9, -1)))
    bank = torch.randn(5, CONFIG.width)
    torch.testing.assert_close(model.tk_to_genomic(packed, bank), model.tk_to_genomic(padded, bank))


def test_the_order_of_records_in_a_batch_changes_nothing(model):
    tokens, slots, mask = records(4, 9, [2, 9, 1, 2])
    order = torch.tensor([3, 1, 0, 2])
    there = model.practice_encoder(tokens, slots, mask).pooled[order]
    torch.testing.assert_close(model.practice_encoder(tokens[order], slots[order], mask[order]).pooled, there)


def test_padding_changes_nothing(model):
    tokens, slots, mask = records(2, 8, [3, 2])
    short = model.target_encoder(tokens[:, :3], slots[:, :3], mask[:, :3])
    long = model.target_encoder(tokens, slots, mask)
    torch.testing.assert_close(short.pooled, long.pooled)
    bank = torch.randn(21, CONFIG.width)
    torch.testing.assert_close(model.genomic_to_tk(short, bank), model.genomic_to_tk(long, bank))


def test_the_bridge_treats_the_bank_as_a_set(model):
    """No candidate has a place of its own in the input, so none can be marked as the answer."""
    practice = model.practice_encoder(*records(2, 4, [4, 3]))
    bank = torch.randn(5, CONFIG.width)
    torch.testing.assert_close(
        model.tk_to_genomic(practice, bank), model.tk_to_genomic(practice, bank[torch.tensor([4, 2, 0, 1, 3])])
    )


def test_every_record_of_the_bank_is_attended_to(model):
    practice = model.practice_encoder(*records(1, 4, [4]))
    bank = torch.randn(5, CONFIG.width, requires_grad=True)
    model.tk_to_genomic(practice, bank).sum().backward()
    assert bank.grad is not None
    assert (bank.grad.abs().sum(dim=1) > 0).all()


def test_the_slot_tells_fields_apart(model):
    tokens, slots, mask = records(1, 2, [2])
    other = torch.tensor([[0, 1]])
    first, second = model.practice_encoder(tokens, slots, mask), model.practice_encoder(tokens, other, mask)
    assert not torch.allclose(first.pooled, second.pooled)


def test_shared_vectors_have_unit_length(model):
    lengths = model.shared_target(torch.randn(4, CONFIG.width)).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(4))


@pytest.mark.parametrize("packed", [True, False])
def test_a_mean_counts_the_real_tokens_of_a_record_only(packed):
    values = torch.tensor([[[1.0], [3.0], [100.0]], [[5.0], [100.0], [100.0]], [[100.0], [7.0], [9.0]]])
    mask = torch.tensor([[True, True, False], [True, False, False], [False, True, True]])
    layout = TokenLayout.of(mask, packed=packed)
    torch.testing.assert_close(layout.mean(layout.take(values)), torch.tensor([[2.0], [5.0], [8.0]]))


def test_a_candidate_that_is_new_to_a_head_stands_at_the_mean_of_the_others():
    logits = torch.tensor([[1.0, 3.0, 50.0], [-4.0, 0.0, 50.0]])
    new = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(mean_for_new(logits, new)[:, 2], torch.tensor([2.0, -2.0]))
    torch.testing.assert_close(mean_for_new(logits, torch.zeros_like(new)), logits)
