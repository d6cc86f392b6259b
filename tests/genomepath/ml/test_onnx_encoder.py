"""The encoder of the web process gives the vectors of the one that trains, and keeps nobody's text."""

from __future__ import annotations

import numpy as np
import pytest
from django.conf import settings

from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.encoder_graph import encoder_file
from genomepath.ml.onnx_encoder import OnnxTextEncoder

TEXTS = ["An infusion for sleep", "CNR1: cannabinoid receptor 1", "", "ยาหอม", "word " * 400, "An infusion for sleep"]


@pytest.fixture(scope="module")
def encoder() -> OnnxTextEncoder:
    return OnnxTextEncoder(encoder_file(settings.TEXT_ENCODER_FOLDER))


def test_vectors_are_those_of_torch(encoder):
    vectors = encoder.encode(TEXTS)
    assert np.abs(vectors - MiniLMEncoder().encode(TEXTS)).max() < 1e-5
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
