"""Does a text name what is protected, and how close does it come to what is withheld? Matching alone: no Django, no torch.

A name is found in any case of letters, Unicode form, accent, spacing and punctuation ('Canário do Mar', 'CANARIO-DO MAR',
'c a n a r i o d o m a r'), in letters of other scripts that look the same, and with digits for letters, but only from the
beginning of one word to the end of another. Scripts that write no spaces between words are searched within words.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genomepath.text_skeleton import leet_key, skeleton, without_leet

# Cosines of all-MiniLM-L6-v2, measured by genomepath.text_threshold; docs/free_text_threshold.md has the numbers.
NEAR_WITHHELD = 0.51
"""A text at least this close to a withheld, non-sacred record gets no answer."""
FAR_FROM_KNOWN = 0.28
"""A text less close than this to every record that may be used gets no answer."""

_WINDOW_WORDS, _STEP_WORDS, _MOST_WORDS = 40, 20, 400
# A shorter name would be met by chance where digits count as letters.
_SHORTEST_LEET_NAME = 5
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ")


@dataclass(frozen=True)
class TextVerdict:
    """Public ids of the items that a text names and comes close to, and whether it is close to nothing that may be used."""

    named: frozenset[str]
    near: frozenset[str]
    is_far: bool

    @property
    def is_answered(self) -> bool:
        """Whether the text may be answered."""
        return not (self.named or self.near or self.is_far)

    @property
    def reasons(self) -> list[str]:
        """Why not, for the audit log alone."""
        reasons = {"named": bool(self.named), "near": bool(self.near), "far": self.is_far}
        return [name for name, holds in reasons.items() if holds]


def words(text: str) -> list[str]:
    """The words of a text, folded: script of letters that look alike, case, accents and invisible characters make no
    difference.
    """
    kept = (character if unicodedata.category(character)[0] in "LNM" else " " for character in skeleton(text))
    return "".join(kept).split()


class ProtectedNames:
    """Names that no answer may concern, each with the public id of its item."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """``names`` are (public id, name) pairs; a name without any letter or digit is never found."""
        squeezed = [(item, "".join(words(name))) for item, name in names]
        self._plain = _NameIndex(squeezed)
        self._leet = _NameIndex((item, leet_key(name)) for item, name in squeezed if len(name) >= _SHORTEST_LEET_NAME)

    def items_named_in(self, text: str) -> frozenset[str]:
        """Public ids of the items that the text names."""
        found = self._plain.items_named_by(words(text))
        undone = without_leet(text)
        if undone != unicodedata.normalize("NFKC", text):
            found |= self._leet.items_named_by([leet_key(word) for word in words(undone)])
        return frozenset(found)


class _NameIndex:
    """Names without their spaces, looked up over runs of words."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._items: dict[str, set[str]] = defaultdict(set)
        for item, name in names:
            if name:
                self._items[name].add(item)
        self._sorted = sorted(self._items)
        self._unspaced = [name for name in self._sorted if _writes_no_spaces(name)]

    def items_named_by(self, text_words: Sequence[str]) -> set[str]:
        """Public ids of the items whose name is a run of the words, or lies within them in a script without spaces."""
        found: set[str] = set()
        for start in range(len(text_words)):
            joined = ""
            for word in text_words[start:]:
                joined += word
                if not self._begins_a_name(joined):
                    break
                found |= self._items.get(joined, set())
        squeezed = "".join(text_words) if self._unspaced else ""
        for name in self._unspaced:
            if name in squeezed:
                found |= self._items[name]
        return found

    def _begins_a_name(self, beginning: str) -> bool:
        place = bisect_left(self._sorted, beginning)
        return place < len(self._sorted) and self._sorted[place].startswith(beginning)


def _writes_no_spaces(name: str) -> bool:
    return any(unicodedata.name(character, "").startswith(_UNSPACED) for character in name)


def segments(text: str) -> list[str]:
    """The text and, where it is long, overlapping parts of it: a close part must not drown in the rest.

    Words after the 400th stand in no part; the encoder reads 256 wordpieces, so no prediction rests on them either.
    """
    parts = text.split()[:_MOST_WORDS]
    starts = range(0, len(parts), _STEP_WORDS) if len(parts) > _WINDOW_WORDS else ()
    return [text, *(" ".join(parts[start : start + _WINDOW_WORDS]) for start in starts)]


def closeness(segment_vectors: NDArray[np.float32], view_vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest cosine of any segment with each view, float32 [V], from unit vectors [S, E] and [V, E]."""
    if not len(view_vectors):
        return np.zeros(0, dtype=np.float32)
    highest: NDArray[np.float32] = (segment_vectors @ view_vectors.T).max(axis=0)
    return highest


def practice_views(*, title: str, indications: Sequence[str], preparation: str, cultural_context: str) -> list[str]:
    """The texts by which a practice is recognised: its title, its context, and all its fields together."""
    together = ". ".join(part for part in (title, preparation, cultural_context, *indications) if part)
    return [view for view in (title, cultural_context, together) if view]
