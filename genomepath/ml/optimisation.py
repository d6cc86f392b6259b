"""Learning rate, precision and memory of the optimiser's steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


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


def moments(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """What the optimiser remembers of each parameter, by name."""
    return {
        f"{name}/{part}": value
        for name, parameter in model.named_parameters()
        for part, value in optimizer.state[parameter].items()
    }
