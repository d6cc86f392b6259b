"""JSON bodies are read strictly, each fault with its own sentence."""

from __future__ import annotations

import time
from contextlib import suppress

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
        (b'"\\', "not JSON"),
        (b'["a", "' + b"[" * (MAX_DEPTH + 1), "not JSON"),
        (b'["\\\\", ' + b"[" * MAX_DEPTH, "nested"),
    ],
)
def test_fault_is_named(body: bytes, message: str):
    with pytest.raises(ParseError, match=message):
        json_read(body)


def test_brackets_within_strings_are_not_depth():
    text = "[" * 100 + '\\"{'
    assert json_read(f'{{"a": "{text}"}}'.encode()) == {"a": "[" * 100 + '"{'}


def seconds_to_read(body: bytes) -> float:
    """Of this thread's processor, the least of three times, so that a busy machine does not count."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        with suppress(ParseError):
            json_read(body)
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize(
    ("opening", "repeated"),
    [(b'"', b'\\"'), (b"", b'\\"'), (b'"', b"\\"), (b"", b'"'), (b"", b'"\\'), (b'"', b"a"), (b'["', b'","'), (b"", b"[]"),
     (b"[", b"1,"), (b'{"', b'":{"'), (b'"', b"\\u0022"), (b"", b" "), (b"", b"-")],
)  # fmt: skip
def test_no_body_takes_more_than_in_proportion_to_its_size(opening: bytes, repeated: bytes):
    small, large = (seconds_to_read(opening + repeated * (size // len(repeated))) for size in (2_000, 32_000))
    assert large < 16 * 5 * max(small, 20e-6), "16 times the size; with its square it takes 256 times as long"


def test_whole_characters_are_read_however_they_are_written():
    assert json_read('["\\ud83c\\udf3f", "🌿", "\\u200f"]'.encode()) == ["🌿", "🌿", "\u200f"]
