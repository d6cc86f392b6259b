"""ONNX export: each direction as one file that runs without torch, with the frozen catalogue inside.

==================== ======================================================== ========================================
file                 inputs                                                   outputs
==================== ======================================================== ========================================
tk_to_genomic.onnx   the record inputs of practices, dose int64 [B] (0, 1, 2)   logits [B, G], shared [B, S],
                                                                              shared_logits [B, G]
genomic_to_tk.onnx   the record inputs of targets                             logits [B, P], shared [B, S],
                                                                              shared_logits [B, P x 3]
==================== ======================================================== ========================================

Record inputs: tokens float32 [B, T, 384], slots int64 [B, T], mask bool [B, T], text float32 [B, 384], words and
condition_words float32 [B, W], as ``records.RecordFeatures`` has them, and row int64 [B], the record's place in the
catalogue or -1. ``logits`` are the model's; ``shared`` are unit vectors of the shared space, and ``shared_logits`` compare
them with the catalogue's. The graph puts the dose token in front.
"""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genomepath.ml.dataset import TextFeatures
from genomepath.ml.fields import DOSE_SLOT
from genomepath.ml.inference import encode_catalogue
from genomepath.ml.late_interaction import Records, practices_from, targets_from
from genomepath.ml.link_evidence import Catalogue
from genomepath.ml.model import DualTower
from genomepath.ml.onnx_files import GENOMIC_TO_TK, TK_TO_GENOMIC, record_inputs
from genomepath.ml.pair_scorer import catalogue_of
from genomepath.ml.records import RecordFeatures
from genomepath.ml.snapshot import DOSES

PARITY_TOLERANCE = 1e-4
_OPSET = 18
_SIDES = ("practices", "targets")
_OUTPUTS = ("logits", "shared", "shared_logits")


class ParityError(RuntimeError):
    """ONNX and torch disagree by more than the tolerance."""


class PracticeGraph(nn.Module):
    """TK->G for one batch of practices; the encoded targets, the catalogue's texts and the doses are constants."""

    target_bank: Tensor
    dose_tokens: Tensor

    def __init__(self, model: DualTower, target_bank: Tensor, dose_tokens: Tensor, catalogue: Catalogue) -> None:
        super().__init__()
        self.model = model
        self.catalogue = FrozenCatalogue(catalogue)
        self.register_buffer("target_bank", target_bank)
        self.register_buffer("dose_tokens", dose_tokens)

    def forward(  # noqa: PLR0917 - the exporter passes inputs by position
        self,
        tokens: Tensor,
        slots: Tensor,
        mask: Tensor,
        text: Tensor,
        words: Tensor,
        condition_words: Tensor,
        row: Tensor,
        dose: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        dose_token = self.dose_tokens.index_select(0, dose).unsqueeze(1)
        first = slots[:, :1]
        encoded = self.model.practice_encoder(
            torch.cat([dose_token, tokens], dim=1),
            torch.cat([torch.full_like(first, DOSE_SLOT), slots], dim=1),
            torch.cat([torch.ones_like(first, dtype=torch.bool), mask], dim=1),
        )
        catalogue = self.catalogue.records()
        asked = practices_from(_by_name(tokens, slots, mask, text, words, condition_words))
        places = torch.arange(self.target_bank.shape[0])
        pairs = self.model.pairs.standardised(asked, row, catalogue.targets, places, catalogue)
        shared = self.model.shared_practice(encoded.pooled)
        known = self.model.shared_target(self.target_bank)
        logits = self.model.practice_logits(encoded, self.target_bank, pairs)
        return logits, shared, self.model.shared_logits(shared, known)


class TargetGraph(nn.Module):
    """G->TK for one batch of targets; the encoded practices and the catalogue's texts are constants."""

    practice_bank: Tensor

    def __init__(self, model: DualTower, practice_bank: Tensor, catalogue: Catalogue) -> None:
        super().__init__()
        self.model = model
        self.catalogue = FrozenCatalogue(catalogue)
        self.register_buffer("practice_bank", practice_bank)

    def forward(  # noqa: PLR0917 - the exporter passes inputs by position
        self,
        tokens: Tensor,
        slots: Tensor,
        mask: Tensor,
        text: Tensor,
        words: Tensor,
        condition_words: Tensor,
        row: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        encoded = self.model.target_encoder(tokens, slots, mask)
        catalogue = self.catalogue.records()
        asked = targets_from(_by_name(tokens, slots, mask, text, words, condition_words))
        places = torch.arange(self.practice_bank.shape[0] // len(DOSES))
        pairs = self.model.pairs.standardised(catalogue.practices, places, asked, row, catalogue)
        shared = self.model.shared_target(encoded.pooled)
        known = self.model.shared_practice(self.practice_bank)
        logits = self.model.target_logits(encoded, self.practice_bank, pairs)
        return logits, shared, self.model.shared_logits(shared, known)


def _by_name(*parts: Tensor) -> dict[str, Tensor]:
    """The parts of ``RecordFeatures``, in its order, by name."""
    return {field.name: part for field, part in zip(fields(RecordFeatures), parts, strict=True)}


class FrozenCatalogue(nn.Module):
    """The catalogue's records and links as constants of a graph."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        for side in _SIDES:
            for name, value in vars(getattr(catalogue, side)).items():
                self.register_buffer(f"{side}_{name}", value)
        self.register_buffer("links", catalogue.links)

    def records(self) -> Catalogue:
        """The catalogue that was frozen."""
        practices, targets = (
            Records(**{field.name: getattr(self, f"{side}_{field.name}") for field in fields(Records)})
            for side in _SIDES
        )
        links: Tensor = getattr(self, "links")  # noqa: B009 - a buffer, which the type checker does not see
        return Catalogue(practices, targets, links)


def export_onnx(model: DualTower, features: TextFeatures, folder: Path) -> float:
    """Write both files and compare them with torch over the whole catalogue; returns the largest difference.

    Raises:
        ParityError: the difference exceeds ``PARITY_TOLERANCE``.
    """
    practice_graph, target_graph = _graphs(model, features)
    practices, targets = record_inputs(features.practices), record_inputs(features.targets)
    practices["dose"] = np.arange(len(features.practice_mask)) % len(DOSES)
    differences = (
        _export_and_compare(practice_graph, practices, folder / TK_TO_GENOMIC),
        _export_and_compare(target_graph, targets, folder / GENOMIC_TO_TK),
    )
    return max(differences)


def _graphs(model: DualTower, features: TextFeatures) -> tuple[PracticeGraph, TargetGraph]:
    frozen = copy.deepcopy(model).eval().requires_grad_(False)
    encoding = encode_catalogue(frozen, features)
    frozen.practice_encoder.packed = frozen.target_encoder.packed = False
    doses = torch.from_numpy(np.ascontiguousarray(features.dose_tokens))
    catalogue = catalogue_of(features, frozen.pairs.links.clone())
    return (
        PracticeGraph(frozen, encoding.target_bank, doses, catalogue).eval(),
        TargetGraph(frozen, encoding.practice_bank, catalogue).eval(),
    )


def _export_and_compare(graph: nn.Module, inputs: dict[str, np.ndarray[Any, Any]], path: Path) -> float:
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    path.write_bytes(_serialise(graph, {name: value[:2] for name, value in tensors.items()}))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = session.run(list(_OUTPUTS), inputs)
    with torch.no_grad():
        expected = graph(**tensors)
    difference = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
    if not difference <= PARITY_TOLERANCE:
        raise ParityError(f"{path.name} differs from torch by {difference:.2e}, allowed are {PARITY_TOLERANCE:.0e}")
    return difference


def _serialise(graph: nn.Module, inputs: dict[str, Tensor]) -> bytes:
    """The graph as deterministic bytes: no doc strings and no metadata, which would hold source paths.

    By the exporter that runs the graph once and writes down what it did: 2 s for the size as specified. The one over
    torch.export traces every symbolic shape three times over, which takes 25 s and gives a graph that is no faster. What a
    trace may take for a constant would show in the comparison, whose batch is another than the one written down.
    """
    import onnx

    by_token = {"tokens", "slots", "mask"}
    axes = {name: {0: "batch", 1: "tokens"} if name in by_token else {0: "batch"} for name in inputs}
    written = io.BytesIO()
    with _quiet_exporter():
        torch.onnx.export(
            graph,
            tuple(inputs.values()),
            written,  # type: ignore[arg-type]  # annotated for the other exporter, which takes no file
            dynamo=False,
            input_names=list(inputs),
            output_names=list(_OUTPUTS),
            dynamic_axes=axes,
            opset_version=_OPSET,
        )
    proto = onnx.load_model_from_string(written.getvalue())
    _strip(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter warns that it is the older one, and of numbers in the code that it takes for constants, as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


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
