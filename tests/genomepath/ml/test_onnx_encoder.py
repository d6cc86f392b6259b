"""The encoder of the web process gives the vectors of the one that trains, and keeps nobody's text."""

from __future__ import annotations

import numpy as np
import pytest
from django.conf import settings

from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.encoder_graph import TABLE_NAME, encoder_file
from genomepath.ml.onnx_encoder import OnnxTextEncoder

TEXTS = ["An infusion for sleep", "CNR1: cannabinoid receptor 1", "", "ยาหอม", "word " * 400, "An infusion for sleep"]


@pytest.fixture(scope="module")
def encoder() -> OnnxTextEncoder:
    return OnnxTextEncoder(encoder_file(settings.TEXT_ENCODER_FOLDER))


def test_vectors_are_those_of_torch(encoder):
    vectors = encoder.encode(TEXTS)
    assert np.abs(vectors - MiniLMEncoder().encode(TEXTS)).max() < 1e-5
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_a_graph_whose_other_file_is_lost_is_written_again(tmp_path):
    graph = encoder_file(tmp_path)
    table = graph.with_name(TABLE_NAME)
    content = table.read_bytes()
    table.unlink()

    assert encoder_file(tmp_path) == graph
    assert table.read_bytes() == content


def test_a_cut_table_is_refused_and_not_read_past_its_end(tmp_path):
    graph = encoder_file(tmp_path)
    table = graph.with_name(TABLE_NAME)
    table.write_bytes(table.read_bytes()[:-1])

    with pytest.raises(ValueError, match="not whole"):
        OnnxTextEncoder(graph)
