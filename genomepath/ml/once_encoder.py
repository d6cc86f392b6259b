"""An encoder for the texts of one question, several of which are the same text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.embedding import EMBEDDING_SIZE, TextEncoder


class OnceEncoder:
    """Encodes no text twice. It holds texts and vectors, so that it must end with the question."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors float32 [N, 384] in the order of ``texts``."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, EMBEDDING_SIZE), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])
