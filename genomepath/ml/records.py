"""Practices and targets as the model reads them: token embeddings, the whole text, its words. Imports no torch.

N records, T tokens a record, E = 384 embedding dimensions, W word buckets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.embedding import EMBEDDING_SIZE, TextEncoder
from genomepath.ml.fields import Token, practice_text, practice_tokens, target_text, target_tokens
from genomepath.ml.lexical import word_bag
from genomepath.ml.snapshot import PracticeRecord, TargetRecord

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

OUTSIDE = -1
"""Row number of a record that is not in the catalogue."""


@dataclass(frozen=True)
class RecordFeatures:
    """N practices or N targets.

    Attributes:
        tokens, slots, mask: float32 [N, T, E], int64 [N, T] and bool [N, T]; padding is zero and False in the mask.
        text: float32 [N, E]; all fields of a record as one text.
        words: float32 [N, W]; the words of all fields (``lexical.word_bag``).
        condition_words: float32 [N, W]; the words of indications or disease associations.
    """

    tokens: FloatArray
    slots: IntArray
    mask: BoolArray
    text: FloatArray
    words: FloatArray
    condition_words: FloatArray


class TextVectors:
    """Vectors by text; one call of the encoder for all of them."""

    def __init__(self, encoder: TextEncoder, texts: Sequence[str]) -> None:
        unique = sorted(set(texts))
        vectors = encoder.encode(unique) if unique else np.zeros((0, EMBEDDING_SIZE), dtype=np.float32)
        self._by_text = dict(zip(unique, vectors, strict=True))

    def of(self, texts: Sequence[str]) -> FloatArray:
        """float32 [len(texts), E]."""
        return np.stack([self._by_text[text] for text in texts]).astype(np.float32)


def practice_features(record: PracticeRecord, encoder: TextEncoder) -> RecordFeatures:
    """One practice that need not be in the catalogue."""
    return _one_record(practice_tokens(record), practice_text(record), record, encoder)


def target_features(record: TargetRecord, encoder: TextEncoder) -> RecordFeatures:
    """One target that need not be in the catalogue."""
    return _one_record(target_tokens(record), target_text(record), record, encoder)


def condition_texts(record: PracticeRecord | TargetRecord) -> Sequence[str]:
    """The indications of a practice, the names of a target's disease associations."""
    if isinstance(record, PracticeRecord):
        return record.indications
    return [disease.name for disease in record.diseases]


def pad_tokens(rows: Sequence[Sequence[Token]], vectors: TextVectors) -> tuple[FloatArray, IntArray, BoolArray]:
    """Tokens float32 [N, T, E], slots int64 [N, T] and mask bool [N, T], as long as the longest record."""
    width = max(len(row) for row in rows)
    tokens = np.zeros((len(rows), width, EMBEDDING_SIZE), dtype=np.float32)
    slots = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=bool)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = vectors.of([token.text for token in row])
        slots[index, : len(row)] = [token.slot for token in row]
        mask[index, : len(row)] = True
    return tokens, slots, mask


def _one_record(
    tokens: Sequence[Token], text: str, record: PracticeRecord | TargetRecord, encoder: TextEncoder
) -> RecordFeatures:
    vectors = TextVectors(encoder, [text, *(token.text for token in tokens)])
    return RecordFeatures(
        *pad_tokens([tokens], vectors),
        text=vectors.of([text]),
        words=word_bag([text])[None],
        condition_words=word_bag(condition_texts(record))[None],
    )
