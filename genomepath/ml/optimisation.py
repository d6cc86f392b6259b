"""Learning rate, precision and memory of the optimiser's steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


def cosine_learning_rate(base: float, epoch: int, t_max: int) -> float:
    """Learning rate of 0-based ``epoch``: SGDR without restarts (Loshchilov and Hutter 2017), 0 from ``t_max`` on."""
    return float(base * (1 + np.cos(np.pi * min(epoch, t_max) / t_max)) / 2)


def encoding_precision() -> torch.autocast:
    """A context in which the encoders of a training multiply bfloat16, where the processor has instructions for it.

    Sums, the residual stream, normalisation, the weights themselves and every loss stay float32. Scoring of a finished
    model never runs in it.
    """
    processor = torch.cpu.get_capabilities()
    has_instructions = bool(processor.get("avx512_bf16") or processor.get("amx_bf16"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_instructions)


@contextmanager
def fast_matmul() -> Iterator[None]:
    """Let oneDNN do the matrix products of training; scoring afterwards stays with the default.

    By default torch uses MKL, which leaves AVX-512 unused on AMD: oneDNN took 2.2 ms for a product that took MKL 4.8 ms.
    Where the processor has matrix units for bfloat16 (Intel AMX), oneDNN also rounds the factors, not the sums, to it.
    """
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    matmul.fp32_precision = "bf16"
    try:
        yield
    finally:
        matmul.fp32_precision = before


class ClippedAdamW:
    """AdamW (Loshchilov and Hutter 2019) on gradients clipped to a norm (Pascanu, Mikolov and Bengio 2013), in one pass.

    It is ``torch.optim``'s own fused step, told to divide the gradients on the way: clipping them first reads and writes
    all of them once more. The class ``torch.optim.AdamW`` would also load torch's compiler, which nothing here uses, in
    two seconds of every process that trains.
    """

    BETAS = (0.9, 0.999)
    EPSILON = 1e-8

    def __init__(self, model: nn.Module, *, weight_decay: float, clip_norm: float) -> None:
        self._parameters = dict(model.named_parameters())
        self._weight_decay, self._clip_norm = weight_decay, clip_norm
        self._moments = {
            name: {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
            for name, parameter in self._parameters.items()
        }

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> Tensor:
        """Update every parameter that has a gradient; returns the norm of all gradients before clipping."""
        used = {name: part for name, part in self._parameters.items() if part.grad is not None}
        gradients = [part.grad for part in used.values() if part.grad is not None]
        averages, squares, steps = (
            [self._moments[name][part] for name in used] for part in ("exp_avg", "exp_avg_sq", "step")
        )
        norm: Tensor = nn.utils.get_total_norm(gradients)
        adamw(
            list(used.values()),
            gradients,
            averages,
            squares,
            [],
            steps,
            fused=True,
            grad_scale=(norm / self._clip_norm).clamp(min=1.0),
            amsgrad=False,
            beta1=self.BETAS[0],
            beta2=self.BETAS[1],
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=self.EPSILON,
            maximize=False,
        )
        return norm

    def moments(self) -> dict[str, Tensor]:
        """What is remembered of each parameter, ``name/part``."""
        return {f"{name}/{part}": value for name, parts in self._moments.items() for part, value in parts.items()}

    def restore(self, moments: Mapping[str, Tensor]) -> None:
        """Take what ``moments`` of an optimiser of the same model gave."""
        for name, parts in self._moments.items():
            for part, value in parts.items():
                value.copy_(moments[f"{name}/{part}"])
