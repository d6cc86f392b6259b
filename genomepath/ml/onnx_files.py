"""A model folder's ONNX files by name and by input, for those that read them without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.records import OUTSIDE, RecordFeatures

TK_TO_GENOMIC = "tk_to_genomic.onnx"
GENOMIC_TO_TK = "genomic_to_tk.onnx"


def record_inputs(features: RecordFeatures, *, in_catalogue: bool = True) -> dict[str, NDArray[Any]]:
    """The record inputs of a graph, by name; ``in_catalogue`` says that they are the whole catalogue in its order."""
    places = np.arange(len(features.mask)) if in_catalogue else np.full(len(features.mask), OUTSIDE)
    return {**{name: np.ascontiguousarray(part) for name, part in vars(features).items()}, "row": places}
