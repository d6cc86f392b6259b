"""Which words two texts share, as vectors: a bag of hashed words, so that an overlap is a dot product in any runtime."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

WORD_BUCKETS = 512
SHORTEST_WORD = 4


def words_of(text: str) -> frozenset[str]:
    """The words of a text in small letters; shorter ones than four letters say too little to count."""
    return frozenset(re.findall(rf"[^\W\d_]{{{SHORTEST_WORD},}}", text.lower()))


def word_bag(texts: Iterable[str]) -> NDArray[np.float32]:
    """1 in the bucket of every word of the texts, else 0; float32 [WORD_BUCKETS].

    The bucket is the CRC-32 of the word, equal on every machine and in every process.
    """
    bag = np.zeros(WORD_BUCKETS, dtype=np.float32)
    for text in texts:
        for word in words_of(text):
            bag[zlib.crc32(word.encode()) % WORD_BUCKETS] = 1.0
    return bag
