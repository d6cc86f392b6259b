"""Field readers: each takes a raw JSON value and gives the typed one, or says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Reader = Callable[[object], Any]


class FieldProblem(ValueError):
    """A value that breaks its rule; ``field`` is the path within the row, such as ``indications[0].id``."""

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field

    def within(self, outer: str) -> FieldProblem:
        """The same problem, seen from the field around it."""
        joint = "" if not self.field or self.field.startswith("[") else "."
        return FieldProblem(self.problem, f"{outer}{joint}{self.field}")


def text(*, empty: bool = False) -> Reader:
    """A string without surrounding blanks; not empty unless ``empty``."""

    def read(raw: object) -> str:
        if not isinstance(raw, str):
            raise FieldProblem(f"expected text, found {type(raw).__name__}")
        if raw != raw.strip():
            raise FieldProblem("text has blanks at an end")
        if not raw and not empty:
            raise FieldProblem("must not be empty")
        return raw

    return read


def matching(pattern: str, *, empty: bool = False) -> Reader:
    """A string that matches the whole pattern, or the empty string where ``empty``."""
    compiled = re.compile(pattern)
    read_text = text(empty=empty)

    def read(raw: object) -> str:
        value: str = read_text(raw)
        if value and not compiled.fullmatch(value):
            raise FieldProblem(f"{value!r} does not match {pattern}")
        return value

    return read


def one_of(*allowed: str) -> Reader:
    """One of the listed strings."""

    def read(raw: object) -> str:
        if not isinstance(raw, str) or raw not in allowed:
            raise FieldProblem(f"{raw!r} is not one of {', '.join(allowed)}")
        return raw

    return read


def boolean(raw: object) -> bool:
    """True or false, and not a number that reads like one."""
    if not isinstance(raw, bool):
        raise FieldProblem(f"expected true or false, found {raw!r}")
    return raw


def count_or_null(minimum: int, maximum: int) -> Reader:
    """A whole number within the bounds, or None."""

    def read(raw: object) -> int | None:
        if raw is None:
            return None
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise FieldProblem(f"expected a whole number or null, found {raw!r}")
        if not minimum <= raw <= maximum:
            raise FieldProblem(f"{raw} lies outside {minimum} to {maximum}")
        return raw

    return read


def list_of(reader: Reader, *, at_least: int = 0, unique: bool = False) -> Reader:
    """A list, read to a tuple, of at least ``at_least`` items."""

    def read(raw: object) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise FieldProblem(f"expected a list, found {type(raw).__name__}")
        if len(raw) < at_least:
            raise FieldProblem(f"needs at least {at_least} item(s)")
        items = []
        for index, value in enumerate(raw):
            try:
                items.append(reader(value))
            except FieldProblem as problem:
                raise problem.within(f"[{index}]") from problem
        if unique and len(set(items)) != len(items):
            raise FieldProblem("names an item twice")
        return tuple(items)

    return read


def record(build: Callable[..., Any], **fields: Reader) -> Reader:
    """An object with exactly these fields, handed to ``build`` by name."""

    def read(raw: object) -> Any:
        if not isinstance(raw, dict):
            raise FieldProblem(f"expected an object, found {type(raw).__name__}")
        for name in sorted(set(raw) - set(fields)):
            raise FieldProblem("field is not known", str(name))
        values = {}
        for name, reader in fields.items():
            if name not in raw:
                raise FieldProblem("field is missing", name)
            try:
                values[name] = reader(raw[name])
            except FieldProblem as problem:
                raise problem.within(name) from problem
        return build(**values)

    return read
