"""An encoder that reads each text of a question once."""

from __future__ import annotations

import numpy as np

from genomepath.ml.once_encoder import OnceEncoder
from tests.genomepath.ml.synthetic import HashEncoder


class Counting:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):
        self.asked += texts
        return HashEncoder().encode(texts)


def test_a_text_is_encoded_once_and_its_vector_stays_the_same():
    counting = Counting()
    encoder = OnceEncoder(counting)

    first = encoder.encode(["a", "b", "a"])
    second = encoder.encode(["b", "c"])

    assert counting.asked == ["a", "b", "c"]
    np.testing.assert_array_equal(first, HashEncoder().encode(["a", "b", "a"]))
    np.testing.assert_array_equal(second, HashEncoder().encode(["b", "c"]))


def test_no_text_is_no_vector():
    assert OnceEncoder(Counting()).encode([]).shape == (0, 384)
