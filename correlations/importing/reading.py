"""Reads the rows of one list or object of a JSON file one at a time, so that memory doesn't grow with the file.

Stricter than ``json.load``: NaN, Infinity, repeated keys and nesting beyond what Python can read are refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

from correlations.importing.errors import ImportRefused

CHUNK = 1 << 16
# The largest single value, in characters. The rows of an export are about 700.
VALUE_LIMIT = 1 << 20
_NUMBER_SIGNS = re.compile(r"[0-9.eE+-]*")
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class SourceRow:
    """A row as it stands in the file: its number from 1, its key where the rows are an object's members, its text."""

    number: int
    key: str
    value: Any
    raw: str


class _Refused(ValueError):
    """Well-formed for Python, but not for us."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON: give a number or null")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("a key is given twice in one object: keep one of them")
    return members


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)


def parse_text(text: str) -> Any:
    """One JSON value with the same strictness, such as a corrected row. Raises ValueError with a readable message."""
    try:
        value, end = _decoder.raw_decode(text.strip())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if end != len(text.strip()):
        raise ValueError("text follows after the JSON value")
    return value


def source_sha256(folder: Path, names: tuple[str, ...]) -> str:
    """One hash over the names and bytes of the source files. Raises ImportRefused where one can't be read."""
    digest = hashlib.sha256()
    for name in names:
        try:
            with (folder / name).open("rb") as source:
                content = hashlib.file_digest(source, "sha256")
        except FileNotFoundError as error:
            raise ImportRefused(f"the file is missing from {folder.name or folder}", file_name=name) from error
        except OSError as error:
            raise ImportRefused(f"can't be read: {error.strerror}", file_name=name) from error
        digest.update(f"{name}\0{content.hexdigest()}\n".encode())
    return digest.hexdigest()


def read_rows(path: Path, field: str, kind: type) -> Iterator[SourceRow]:
    """The elements of the list (``kind`` list) or the members of the object (``kind`` dict) at a top-level field.

    Raises:
        ImportRefused: not UTF-8, not JSON, another structure, a value larger than ``VALUE_LIMIT``. Raised where the
            reading gets there, so a caller writes in one transaction.
    """
    try:
        # A byte order mark is what some tools put before UTF-8; RFC 8259 lets a reader ignore it.
        with path.open(encoding="utf-8-sig") as text:
            yield from _Scanner(path.name, text).rows(field, kind)
    except UnicodeDecodeError as error:
        raise ImportRefused("not UTF-8: save the file as UTF-8", file_name=path.name) from error
    except OSError as error:
        raise ImportRefused(f"can't be read: {error.strerror}", file_name=path.name) from error


class _Scanner:
    """A window over the text that holds at least the value being read."""

    def __init__(self, file_name: str, text: TextIO) -> None:
        self.file_name = file_name
        self.text = text
        self.buffer = ""
        self.at = 0
        self.ended = False
        self.row: int | None = None

    def rows(self, field: str, kind: type) -> Iterator[SourceRow]:
        """Walk the top-level object: stream the wanted field, skip the others."""
        if self.peek() != "{":
            self.refuse("the top level must be an object")
        found: set[str] = set()
        for name in self.members():
            if name in found:
                self.refuse("the field is given twice", field=name)
            found.add(name)
            if name != field:
                self.value(name)
                continue
            opening, word = ("[", "a list") if kind is list else ("{", "an object")
            if self.peek() != opening:
                self.refuse(f"must be {word}", field=field)
            yield from self.elements(field) if kind is list else self.keyed(field)
            self.row = None
        if field not in found:
            self.refuse("the field is missing", field=field)
        if self.peek():
            self.refuse("text follows after the end of the JSON value")

    def elements(self, field: str) -> Iterator[SourceRow]:
        self.at += 1
        number = 0
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            number += 1
            self.row = number
            value, raw = self.value(field)
            yield SourceRow(number, "", value, raw)
            if self.separator("]", field):
                return

    def keyed(self, field: str) -> Iterator[SourceRow]:
        seen: set[str] = set()
        for number, key in enumerate(self.members(), start=1):
            self.row = number
            if key in seen:
                self.refuse("the key is given twice", field=field)
            seen.add(key)
            value, raw = self.value(field)
            yield SourceRow(number, key, value, raw)

    def members(self) -> Iterator[str]:
        """The keys of the object at the cursor; the caller reads each value before it asks for the next key."""
        self.at += 1
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            key, _ = self.value("")
            if not isinstance(key, str) or self.peek() != ":":
                self.refuse("not valid JSON: a quoted key and a colon were expected")
            self.at += 1
            yield key
            if self.separator("}", ""):
                return

    def separator(self, closing: str, field: str) -> bool:
        """Step over a comma (False) or the closing bracket (True)."""
        sign = self.peek()
        if sign not in {",", closing} or not sign:
            self.refuse(f"not valid JSON: ',' or '{closing}' was expected", field=field)
        self.at += 1
        return sign == closing

    def peek(self) -> str:
        """The next character that isn't blank, or '' at the end of the file."""
        while True:
            blank = _BLANK.match(self.buffer, self.at)
            self.at = blank.end() if blank else self.at
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.more():
                return ""

    def more(self) -> bool:
        """Forget what was read, and read on; doubling keeps the rereading of one large value linear."""
        if self.ended:
            return False
        kept = self.buffer[self.at :]
        chunk = self.text.read(max(CHUNK, len(kept)))
        self.buffer, self.at, self.ended = kept + chunk, 0, not chunk
        return bool(chunk)

    def value(self, field: str) -> tuple[Any, str]:
        """The JSON value at the cursor and its text."""
        self.peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self.buffer, self.at)
            except json.JSONDecodeError as error:
                # The value may only be cut off by the window: judge when all of it must be there.
                if len(self.buffer) - self.at < VALUE_LIMIT and self.more():
                    continue
                if not self.ended and error.msg.startswith("Unterminated string"):
                    self.refuse(f"a value is longer than {VALUE_LIMIT} characters", field=field)
                self.refuse(f"not valid JSON: {error.msg}", field=field)
            except _Refused as error:
                self.refuse(str(error), field=field)
            except RecursionError:
                self.refuse("nested too deeply", field=field)
            except ValueError:
                self.refuse("a number has too many digits", field=field)
            if end - self.at > VALUE_LIMIT:
                self.refuse(f"a value is longer than {VALUE_LIMIT} characters", field=field)
            # A number at the end of the window may go on after it: '-1.5' of '-1.5e3'.
            if _NUMBER_SIGNS.fullmatch(self.buffer, end) and self.more():
                continue
            raw = self.buffer[self.at : end]
            self.at = end
            return value, raw

    def refuse(self, problem: str, *, field: str = "") -> NoReturn:
        readable = "".join(sign for sign in field if unicodedata.category(sign)[0] != "C")[:60]
        raise ImportRefused(problem, file_name=self.file_name, row=self.row, field=readable)
