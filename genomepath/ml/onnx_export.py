"""ONNX export: each direction as one file that runs without torch, with the frozen catalogue inside.

==================== ======================================================== ========================================
file                 inputs                                                   outputs
==================== ======================================================== ========================================
tk_to_genomic.onnx   tokens float32 [B, T, 384], slots int64 [B, T], mask      logits [B, G], shared [B, S],
                     bool [B, T] of practices, dose int64 [B] (0, 1, 2)        shared_logits [B, G]
genomic_to_tk.onnx   tokens, slots and mask of targets                        logits [B, P], shared [B, S],
                                                                              shared_logits [B, P x 3]
==================== ======================================================== ========================================

``logits`` are those of the heads; ``shared`` are unit vectors of the shared space, and ``shared_logits`` compare them
with the catalogue's. Tokens are MiniLM embeddings as ``dataset`` builds them; the graph puts the dose token in front.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genomepath.ml.dataset import TextFeatures
from genomepath.ml.fields import DOSE_SLOT
from genomepath.ml.inference import encode_catalogue
from genomepath.ml.model import DualTower
from genomepath.ml.snapshot import DOSES

TK_TO_GENOMIC = "tk_to_genomic.onnx"
GENOMIC_TO_TK = "genomic_to_tk.onnx"
PARITY_TOLERANCE = 1e-4
_OPSET = 18
_OUTPUTS = ("logits", "shared", "shared_logits")


class ParityError(RuntimeError):
    """ONNX and torch disagree by more than the tolerance."""


class PracticeGraph(nn.Module):
    """TK->G for one batch of practices; the target bank and the dose tokens are constants."""

    target_bank: Tensor
    dose_tokens: Tensor

    def __init__(self, model: DualTower, target_bank: Tensor, dose_tokens: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("target_bank", target_bank)
        self.register_buffer("dose_tokens", dose_tokens)

    def forward(self, tokens: Tensor, slots: Tensor, mask: Tensor, dose: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dose_token = self.dose_tokens.index_select(0, dose).unsqueeze(1)
        first = slots[:, :1]
        encoded = self.model.practice_encoder(
            torch.cat([dose_token, tokens], dim=1),
            torch.cat([torch.full_like(first, DOSE_SLOT), slots], dim=1),
            torch.cat([torch.ones_like(first, dtype=torch.bool), mask], dim=1),
        )
        shared = self.model.shared_practice(encoded.pooled)
        catalogue = self.model.shared_target(self.target_bank)
        logits = self.model.tk_to_genomic(encoded, self.target_bank)
        return logits, shared, self.model.shared_logits(shared, catalogue)


class TargetGraph(nn.Module):
    """G->TK for one batch of targets; the practice bank is a constant."""

    practice_bank: Tensor

    def __init__(self, model: DualTower, practice_bank: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("practice_bank", practice_bank)

    def forward(self, tokens: Tensor, slots: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        encoded = self.model.target_encoder(tokens, slots, mask)
        shared = self.model.shared_target(encoded.pooled)
        catalogue = self.model.shared_practice(self.practice_bank)
        logits = self.model.genomic_to_tk(encoded, self.practice_bank)
        return logits, shared, self.model.shared_logits(shared, catalogue)


def export_onnx(model: DualTower, features: TextFeatures, folder: Path) -> float:
    """Write both files and compare them with torch over the whole catalogue; returns the largest difference.

    Raises:
        ParityError: the difference exceeds ``PARITY_TOLERANCE``.
    """
    practice_graph, target_graph = _graphs(model, features)
    practices = _tensors(features.practice_tokens, features.practice_slots, features.practice_mask)
    targets = _tensors(features.target_tokens, features.target_slots, features.target_mask)
    doses = torch.arange(len(practices[0])) % len(DOSES)
    differences = (
        _export_and_compare(
            practice_graph, (*practices, doses), ("tokens", "slots", "mask", "dose"), folder / TK_TO_GENOMIC
        ),
        _export_and_compare(target_graph, targets, ("tokens", "slots", "mask"), folder / GENOMIC_TO_TK),
    )
    return max(differences)


def _graphs(model: DualTower, features: TextFeatures) -> tuple[PracticeGraph, TargetGraph]:
    frozen = copy.deepcopy(model).eval().requires_grad_(False)
    encoding = encode_catalogue(frozen, features)
    frozen.practice_encoder.packed = frozen.target_encoder.packed = False
    doses = torch.from_numpy(np.ascontiguousarray(features.dose_tokens))
    return PracticeGraph(frozen, encoding.target_bank, doses).eval(), TargetGraph(frozen, encoding.practice_bank).eval()


def _tensors(*arrays: np.ndarray[Any, Any]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


def _export_and_compare(graph: nn.Module, inputs: tuple[Tensor, ...], names: tuple[str, ...], path: Path) -> float:
    path.write_bytes(_serialise(graph, tuple(value[:2] for value in inputs), names))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = session.run(list(_OUTPUTS), {name: value.numpy() for name, value in zip(names, inputs, strict=True)})
    with torch.no_grad():
        expected = graph(*inputs)
    difference = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
    if not difference <= PARITY_TOLERANCE:
        raise ParityError(f"{path.name} differs from torch by {difference:.2e}, allowed are {PARITY_TOLERANCE:.0e}")
    return difference


def _serialise(graph: nn.Module, inputs: tuple[Tensor, ...], names: tuple[str, ...]) -> bytes:
    """The graph as deterministic bytes: no doc strings and no metadata, which would hold source paths."""
    batch, length = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("tokens", min=1, max=1024)
    shapes = tuple({0: batch, 1: length} if value.dim() > 1 else {0: batch} for value in inputs)
    with _quiet_exporter():
        program = torch.onnx.export(
            graph,
            inputs,
            dynamo=True,
            input_names=list(names),
            output_names=list(_OUTPUTS),
            dynamic_shapes=shapes,
            opset_version=_OPSET,
            verbose=False,
        )
    if program is None:
        raise ParityError("the exporter returned no program")
    proto = program.model_proto
    _strip(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter warns of an absent torchvision and of its own deprecated calls, and traces every symbolic shape."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx._internal.exporter._registration", "torch.__trace")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _strip(proto: Any) -> None:
    proto.doc_string = ""
    del proto.metadata_props[:]
    graphs = [proto.graph, *proto.functions]
    for graph in graphs:
        graph.doc_string = ""
        del graph.metadata_props[:]
        for entry in (*graph.node, *graph.value_info):
            entry.doc_string = ""
            del entry.metadata_props[:]
    for entry in (*proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        entry.doc_string = ""
        del entry.metadata_props[:]
