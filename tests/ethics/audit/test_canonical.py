"""The canonical text of what the log hashes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ethics.audit.canonical import canonical_text


@given(text=st.text(), number=st.integers(-(2**53) + 1, 2**53 - 1))
def test_the_canonical_form_is_that_of_the_standard_library(text: str, number: int) -> None:
    fields = {"b": text, "a": [text, number, None, True]}
    assert canonical_text(fields) == json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_no_character_is_escaped_otherwise() -> None:
    text = "".join(chr(point) for point in range(0x11000) if not 0xD800 <= point < 0xE000)
    assert canonical_text({"a": text}) == json.dumps({"a": text}, separators=(",", ":"), ensure_ascii=False)
