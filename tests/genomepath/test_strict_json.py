"""JSON bodies are read strictly, each fault with its own sentence."""

from __future__ import annotations

import pytest
from rest_framework.exceptions import ParseError

from genomepath.api.strict_json import MAX_DEPTH, json_read


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "Infinity is not JSON"),
        (b"1e999", "too large"),
        (b"9" * 5000, "too large"),
        (b"1." + b"0" * 100, "too long"),
        (b'"\xff"', "UTF-8"),
        (b'\xff\xfe"\x00a\x00"\x00', "UTF-8"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 50_000, "nested"),
        (b"", "not JSON: line 1"),
        (b'{"a": 1,}', "not JSON: line 1"),
        (b'"\x00"', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"{} {}", "not JSON"),
    ],
)
def test_fault_is_named(body: bytes, message: str):
    with pytest.raises(ParseError, match=message):
        json_read(body)


def test_brackets_within_strings_are_not_depth():
    text = "[" * 100 + '\\"{'
    assert json_read(f'{{"a": "{text}"}}'.encode()) == {"a": "[" * 100 + '"{'}


def test_whole_characters_are_read_however_they_are_written():
    assert json_read('["\\ud83c\\udf3f", "🌿", "\\u200f"]'.encode()) == ["🌿", "🌿", "\u200f"]
