"""Finds texts in bytes: in any case of letters, encoded or escaped, inside zip and gzip archives.

The cost hardly grows with the number of texts, so that the weights of a model can be searched for thousands of them.
"""

from __future__ import annotations

import html
import json
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from io import BytesIO
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

ANCHOR_BYTES = 8
_DEEPEST_ARCHIVE = 4
_GZIP = b"\x1f\x8b"


class TextSearch:
    """A search for a fixed set of texts. Texts of fewer than eight bytes are found as whole words only."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_anchor: dict[int, set[tuple[bytes, str]]] = defaultdict(set)
        self._words: list[tuple[re.Pattern[bytes], str]] = []
        for text in filter(None, set(texts)):
            for form in _forms(text):
                if len(form) >= ANCHOR_BYTES:
                    self._by_anchor[_number(form[:ANCHOR_BYTES])].add((form, text))
                else:
                    word = re.compile(rb"(?<![a-z0-9])" + re.escape(form) + rb"(?![a-z0-9])")
                    self._words.append((word, text))
        self._anchors = np.array(sorted(self._by_anchor), dtype="<u8")
        self._first_bytes = np.zeros(1 << 16, dtype=bool)
        self._first_bytes[self._anchors & 0xFFFF] = True

    def found_in(self, content: bytes) -> set[str]:
        """Those of the texts that the bytes hold."""
        found: set[str] = set()
        for layer in _layers(content, _DEEPEST_ARCHIVE):
            lowered = layer.lower()
            found |= {text for word, text in self._words if word.search(lowered)}
            for anchor in self._anchors_in(lowered):
                found |= {text for form, text in self._by_anchor[anchor] if form in lowered}
        return found

    def _anchors_in(self, content: bytes) -> set[int]:
        """The anchors (first eight bytes of a form, as a number) that occur at any offset."""
        present: set[int] = set()
        for offset in range(min(ANCHOR_BYTES, len(content) - ANCHOR_BYTES + 1)):
            count = (len(content) - offset) // ANCHOR_BYTES
            windows: NDArray[np.uint64] = np.frombuffer(content, dtype="<u8", count=count, offset=offset)
            likely = windows[self._first_bytes[windows & 0xFFFF]]
            present.update(int(anchor) for anchor in np.intersect1d(likely, self._anchors))
        return present


def _number(anchor: bytes) -> int:
    return int.from_bytes(anchor, "little")


def _forms(text: str) -> set[bytes]:
    """The forms in which a text may lie in bytes whose ASCII letters were made small."""
    forms = {text, text.lower(), text.upper(), html.escape(text), quote(text), quote(text, safe="")}
    forms |= {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    encodings = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le")
    encoded = {form.encode(encoding, "surrogatepass") for form in forms for encoding in encodings}
    return {form.lower() for form in encoded | {text.encode("unicode_escape")}}


def _layers(content: bytes, depth: int) -> Iterator[bytes]:
    """The bytes themselves and what they hold when they are an archive."""
    yield content
    if depth == 0:
        return
    if content.startswith(_GZIP):
        yield from _layers(_gunzip(content), depth - 1)
    elif zipfile.is_zipfile(BytesIO(content)):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from _layers(archive.read(name), depth - 1)


def _gunzip(content: bytes) -> bytes:
    """As much as can be unpacked, so that a cut-off archive is not a hiding place."""
    unpacked = b""
    while content.startswith(_GZIP):
        stream = zlib.decompressobj(wbits=31)
        try:
            unpacked += stream.decompress(content)
        except zlib.error:
            # Not a gzip stream after all, or a damaged one: the raw bytes are looked at as well.
            break
        content = stream.unused_data
    return unpacked
