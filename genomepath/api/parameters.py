"""Query parameters, read strictly: what is unknown, repeated or malformed is refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from enum import StrEnum

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from correlations.vocabulary import Dose

_WHOLE_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LONGEST_FILTER = 300


def check_known(query: QueryDict, allowed: Collection[str]) -> None:
    """Refuse parameters that the endpoint does not have, and parameters given twice.

    Raises:
        ValidationError: naming each such parameter.
    """
    errors = {}
    for name in query:
        if name not in allowed:
            errors[_printable(name)] = "This parameter is not known here."
        elif len(query.getlist(name)) > 1:
            errors[name] = "Give this parameter once."
    if errors:
        raise ValidationError(errors)


def whole_number(query: QueryDict, name: str, *, default: int, maximum: int) -> int:
    """A number from 1 to ``maximum``.

    Raises:
        ValidationError: anything else was given.
    """
    text = query.get(name)
    if text is None:
        return default
    if not _WHOLE_NUMBER.fullmatch(text) or not 1 <= int(text) <= maximum:
        raise ValidationError({name: f"Give a whole number from 1 to {maximum}."})
    return int(text)


def dose_level(query: QueryDict) -> Dose | None:
    """The dose level, or None where none was given.

    Raises:
        ValidationError: the level is not known.
    """
    text = query.get("dose")
    if text is None:
        return None
    try:
        return Dose(text)
    except ValueError:
        raise ValidationError({"dose": f"Give one of: {', '.join(Dose)}."}) from None


def one_of(query: QueryDict, name: str, values: type[StrEnum]) -> str | None:
    """The value of a filter that knows a fixed set of values, or None where none was given.

    Raises:
        ValidationError: another value.
    """
    text = query.get(name)
    if text is not None and text not in {value.value for value in values}:
        raise ValidationError({name: f"Give one of: {', '.join(values)}."})
    return text


def yes_or_no(query: QueryDict, name: str) -> bool | None:
    """``true`` or ``false``, or None where none was given.

    Raises:
        ValidationError: another value.
    """
    text = query.get(name)
    if text is not None and text not in {"true", "false"}:
        raise ValidationError({name: "Give true or false."})
    return None if text is None else text == "true"


def plain_text(query: QueryDict, name: str) -> str:
    """The text of a filter, at most 300 characters; empty where none was given.

    Raises:
        ValidationError: the text is too long or holds a NUL character.
    """
    text = query.get(name, "").strip()
    if len(text) > _LONGEST_FILTER or "\x00" in text:
        raise ValidationError({name: f"Give at most {_LONGEST_FILTER} characters, without NUL."})
    return text


def day(query: QueryDict, name: str) -> date | None:
    """A day such as 2026-01-31, or None where none was given.

    Raises:
        ValidationError: anything else was given.
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError({name: "Give a day such as 2026-01-31."}) from None


def search_text(query: QueryDict) -> str:
    """The text to search for, at most 100 characters.

    Raises:
        ValidationError: the text is too long or holds a NUL character.
    """
    text = query.get("search", "").strip()
    if len(text) > 100 or "\x00" in text:
        raise ValidationError({"search": "Give at most 100 characters, without NUL."})
    return text


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)[:60]
