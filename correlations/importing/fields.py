"""Typed, bounded reading of the fields of one row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from correlations.importing.errors import Reason, RowProblem

TEXT_LIMIT = 20_000
_KINDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list", dict: "an object"}


def storable(text: str, field: str, limit: int) -> str:
    """The text without outer blanks.

    Raises:
        RowProblem: it holds a NUL or half a surrogate pair, which PostgreSQL can't store, or is longer than ``limit``.
    """
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise RowProblem(
            Reason.TEXT_UNSTORABLE,
            f"Field {field!r} holds a NUL or an unpaired surrogate, which can't be stored: remove it and replay.",
        )
    if len(text) > limit:
        raise RowProblem(
            Reason.TEXT_TOO_LONG, f"Field {field!r} has {len(text)} characters; at most {limit}: shorten and replay."
        )
    return text.strip()


class Fields:
    """The fields of a row. Every reader raises RowProblem with the field's name and what was expected."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise RowProblem(Reason.FIELD_TYPE, f"The row must be an object, not {kind_of(value)}.")
        self._members: Mapping[str, Any] = value

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self._members.get(field) is not None

    def text(self, field: str, *, limit: int = TEXT_LIMIT, required: bool = True) -> str:
        """A text; '' where it is absent and not required."""
        if not required and not self.has(field):
            return ""
        text = storable(self._typed(field, str), field, limit)
        if required and not text:
            raise RowProblem(Reason.FIELD_MISSING, f"Field {field!r} is empty: fill it in and replay.")
        return text

    def choice(self, field: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed texts."""
        text = self.text(field, limit=120)
        if text not in allowed:
            raise RowProblem(Reason.FIELD_VALUE, f"Field {field!r} must be one of {', '.join(allowed)}.")
        return text

    def terms(self, field: str, *, limit: int, required: bool = True) -> tuple[str, ...]:
        """A list of identifiers as plain words, without empty and repeated ones."""
        words = (plain_words(text) for text in self.texts(field, limit=limit, required=required))
        return tuple(dict.fromkeys(word for word in words if word))

    def texts(self, field: str, *, limit: int, required: bool = True) -> tuple[str, ...]:
        """A list of texts, without empty and repeated ones, in the order given."""
        if not required and not self.has(field):
            return ()
        entries = self._typed(field, list)
        for entry in entries:
            if not isinstance(entry, str):
                raise RowProblem(Reason.FIELD_TYPE, f"Field {field!r} must hold texts only, found {kind_of(entry)}.")
        texts = (storable(entry, field, limit) for entry in entries)
        return tuple(dict.fromkeys(text for text in texts if text))

    def flag(self, field: str) -> bool:
        """true or false."""
        return bool(self._typed(field, bool))

    def count(self, field: str) -> int:
        """A whole number from 0 to 2 147 483 647, which is what the column holds."""
        number = self._typed(field, int)
        if isinstance(number, bool) or not 0 <= number <= 2**31 - 1:
            raise RowProblem(Reason.FIELD_VALUE, f"Field {field!r} must be a whole number from 0 to {2**31 - 1}.")
        return int(number)

    def share(self, field: str, *, above_zero: bool = False) -> float:
        """A number in [0, 1], or in (0, 1]."""
        value = self._present(field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RowProblem(Reason.FIELD_TYPE, f"Field {field!r} must be a number, not {kind_of(value)}.")
        if not math.isfinite(value) or not 0 <= value <= 1 or (above_zero and value == 0):
            bounds = "above 0 and at most 1" if above_zero else "from 0 to 1"
            raise RowProblem(Reason.CONFIDENCE_OUT_OF_RANGE, f"Field {field!r} must be {bounds}: correct and replay.")
        return float(value)

    def objects(self, field: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(entry) for entry in self._typed(field, list)]

    def _present(self, field: str) -> Any:
        if not self.has(field):
            raise RowProblem(Reason.FIELD_MISSING, f"Field {field!r} is missing: fill it in and replay.")
        return self._members[field]

    def _typed(self, field: str, kind: type) -> Any:
        value = self._present(field)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise RowProblem(Reason.FIELD_TYPE, f"Field {field!r} must be {_KINDS[kind]}, not {kind_of(value)}.")
        return value


def plain_words(identifier: str) -> str:
    """'example_condition' as 'example condition'."""
    return " ".join(identifier.replace("_", " ").split())


def kind_of(value: object) -> str:
    """How JSON calls the kind of a value."""
    if value is None:
        return "null"
    return "a number" if isinstance(value, float) else _KINDS.get(type(value), "something else")
