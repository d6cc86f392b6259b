"""JSON in, read strictly: of bounded size and depth, UTF-8, every name once, finite numbers, no lone surrogates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

MAX_BODY_BYTES = 512 * 1024
MAX_DEPTH = 16
_LONGEST_NUMBER = 40
_BODY = "strict_json_body"
_OPENING = (b"[", b"{")
_BRACKET = re.compile(rb"[\[\]{}]")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""One that is never closed goes on to the end: looking for its end again from every quote within it would take minutes.
What stands in it is no depth either, as the parser stops there too."""


class BodyTooLarge(APIException):
    """413."""

    status_code = 413
    default_detail = f"The body is too large; at most {MAX_BODY_BYTES} bytes are read."
    default_code = "body_too_large"


class StrictJSONParser(BaseParser):
    """Reads ``application/json``."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body.

        Raises:
            BodyTooLarge: the body holds more than ``MAX_BODY_BYTES``.
            UnsupportedMediaType: it is compressed.
            ParseError: it is not JSON, or not as strict as the module says.
        """
        request = (parser_context or {}).get("request")
        encoding = request.headers.get("Content-Encoding", "identity") if request is not None else "identity"
        if encoding.strip().lower() != "identity":
            raise UnsupportedMediaType(media_type or "", "Send the body uncompressed.")
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        if request is not None:
            setattr(request, _BODY, body)
        return json_read(body)


def body_of(request: Request) -> bytes:
    """The bytes that the parser read; empty where it read none."""
    return bytes(getattr(request._request, _BODY, b"") or getattr(request, _BODY, b""))


def json_read(body: bytes) -> Any:
    """The value that the bytes hold.

    Raises:
        ParseError: with a sentence that says what is wrong.
    """
    if not _is_shallow(body):
        raise ParseError(f"The JSON is nested more than {MAX_DEPTH} deep.")
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except UnicodeEncodeError:
        raise ParseError("The JSON holds half of a surrogate pair.") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    return value


def _is_shallow(body: bytes) -> bool:
    """Counted before parsing, outside strings."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in _OPENING else -1
        if depth > MAX_DEPTH:
            return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError("The JSON gives a name twice in one object.")
    return found


def _no_constant(name: str) -> Any:
    raise ParseError(f"{name} is not JSON.")


def _finite(text: str) -> float:
    value = float(text) if len(text) <= _LONGEST_NUMBER else math.inf
    if not math.isfinite(value):
        raise ParseError("The JSON holds a number that is too large or too long.")
    return value


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ParseError("The JSON holds a number that is too large or too long.")
    return int(text)
