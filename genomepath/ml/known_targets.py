"""What the description of a gene or of findings is compared with: the texts of the targets that a model knows. No torch.

``known_targets.safetensors`` in a model folder holds a unit vector for each whole target and each of its fields.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from genomepath.ml import checkpoint
from genomepath.ml.embedding import EMBEDDING_SIZE, TextEncoder
from genomepath.ml.fields import target_text, target_tokens
from genomepath.ml.records import RecordFeatures
from genomepath.ml.snapshot import TargetRecord
from genomepath.text_door import closeness, segments

FILE = "known_targets.safetensors"
FAR_FROM_TARGETS = 0.26
"""A description less close than this to every known target gets no answer; measured by genomepath.text_threshold."""
_VECTORS = "vectors"

FloatArray = NDArray[np.float32]


class KnownTargetsError(ValueError):
    """The file is damaged, holds something else, or is gone although the manifest names it."""


def target_views(record: TargetRecord) -> list[str]:
    """The texts by which a target is recognised: all its fields together, and each of them."""
    return [target_text(record), *(token.text for token in target_tokens(record))]


def description_texts(record: TargetRecord) -> list[str]:
    """The texts of a description that are compared with the views: the whole, its parts where it is long, each field."""
    whole, *fields = target_views(record)
    return [*segments(whole), *fields]


def closest_target(record: TargetRecord, encoder: TextEncoder, vectors: FloatArray) -> float:
    """The highest cosine of any text of a description with any view; -1 where no target is known.

    Args:
        record: the description.
        encoder: gives unit vectors.
        vectors: the views, float32 [V, 384].
    """
    return float(closeness(encoder.encode(description_texts(record)), vectors).max(initial=-1.0))


def write_known_targets(folder: Path, targets: RecordFeatures) -> None:
    """Write the vectors of the targets as the model reads them, each once."""
    vectors = np.unique(np.vstack([targets.text, targets.tokens[targets.mask]]), axis=0)
    save_file({_VECTORS: np.ascontiguousarray(vectors)}, str(folder / FILE))


def read_known_targets(folder: Path) -> FloatArray | None:
    """The vectors of a model folder, float32 [V, 384]; None for a model that was trained before they were kept.

    Raises:
        KnownTargetsError: see the class.
    """
    try:
        if not (folder / FILE).exists() and FILE not in checkpoint.named_files(folder):
            return None
        vectors = load_file(str(folder / FILE))[_VECTORS]
    except (OSError, KeyError, SafetensorError, checkpoint.ModelFolderError) as error:
        raise KnownTargetsError(f"{folder.name}: {error!r}") from error
    if vectors.ndim != 2 or vectors.shape[1] != EMBEDDING_SIZE or vectors.dtype != np.float32:
        raise KnownTargetsError(f"{folder.name}: vectors of targets have the shape {vectors.shape}")
    return vectors
