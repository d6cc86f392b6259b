from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from genomepath.ml.dropout import Dropout
from genomepath.ml.optimisation import ClippedAdamW


@pytest.mark.parametrize("clip_norm", [0.01, 1e6])
def test_the_optimiser_equals_that_of_torch_on_clipped_gradients(clip_norm):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    reference = copy.deepcopy(model)
    ours = ClippedAdamW(model, weight_decay=0.01, clip_norm=clip_norm)
    theirs = torch.optim.AdamW(reference.parameters(), lr=1e-2, weight_decay=0.01)
    for _ in range(5):
        inputs = torch.randn(8, 6)
        for network in (model, reference):
            network.zero_grad()
            network(inputs).square().sum().backward()
        norm = ours.step(1e-2)
        torch.testing.assert_close(norm, nn.utils.clip_grad_norm_(reference.parameters(), clip_norm))
        theirs.step()
    for one, other in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_restored_optimiser_goes_on_where_the_other_stood():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    first = ClippedAdamW(model, weight_decay=0.01, clip_norm=1.0)
    model(torch.ones(1, 3)).sum().backward()
    first.step(1e-2)
    twin = copy.deepcopy(model)
    second = ClippedAdamW(twin, weight_decay=0.01, clip_norm=1.0)
    second.restore({name: value.clone() for name, value in first.moments().items()})
    for one, optimiser in ((model, first), (twin, second)):
        one.zero_grad()
        one(torch.ones(1, 3)).square().sum().backward()
        optimiser.step(1e-2)
    torch.testing.assert_close(model.weight, twin.weight, rtol=0, atol=0)


def test_a_weight_without_a_gradient_stays():
    used, unused = nn.Linear(2, 1), nn.Linear(2, 1)
    before = unused.weight.clone()
    used(torch.ones(1, 2)).sum().backward()
    ClippedAdamW(nn.ModuleList([used, unused]), weight_decay=0.5, clip_norm=1.0).step(0.1)
    torch.testing.assert_close(unused.weight, before, rtol=0, atol=0)


def test_the_optimiser_does_not_load_the_compiler_of_torch():
    code = (
        "import sys, torch; from genomepath.ml.optimisation import ClippedAdamW; model = torch.nn.Linear(2, 1); "
        "model(torch.ones(1, 2)).sum().backward(); ClippedAdamW(model, weight_decay=0.0, clip_norm=1.0).step(0.1); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("p", [0.05, 0.1, 0.2, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    values = torch.ones(1000, 1001, requires_grad=True)
    dropped = Dropout(p)(values)
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.003)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    kept = dropped.detach() > 0
    torch.testing.assert_close(dropped[kept], torch.full((int(kept.sum()),), 1 / (1 - p)), rtol=1e-4, atol=0)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad, dropped.detach())


def test_every_place_is_dropped_as_often():
    """Four values share a draw: none of them may be favoured."""
    torch.manual_seed(0)
    dropped = Dropout(0.1)(torch.ones(40_000, 4))
    torch.testing.assert_close((dropped == 0).float().mean(dim=0), torch.full((4,), 0.1), rtol=0, atol=0.008)


def test_dropout_follows_the_seed_and_keeps_the_type():
    values = torch.ones(7, 3, dtype=torch.bfloat16)
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(Dropout(0.5)(values))
    assert draws[0].dtype == torch.bfloat16
    torch.testing.assert_close(*draws, rtol=0, atol=0)


def test_dropout_does_nothing_outside_training():
    values = torch.ones(5)
    assert Dropout(0.5).eval()(values) is values
    assert Dropout(0.0)(values) is values
