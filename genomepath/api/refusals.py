"""Everything that is wrong with a request, told in one answer."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from rest_framework.exceptions import ValidationError

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


class Refusals:
    """Collects in a ``with`` block what readers refuse; the end of the block refuses all of it at once.

    Raises:
        ValidationError: a reader refused something; its detail names all of it, each by the first thing said of it.
    """

    def __init__(self) -> None:
        self._details: dict[str, Any] = {}

    def __enter__(self) -> Refusals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None and self._details:
            raise ValidationError(self._details)

    def read(
        self, reader: Callable[Arguments, Value], *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Value:
        """What the reader reads. Where it refuses, nothing that the block may use: the end of the block raises."""
        try:
            return reader(*arguments, **options)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            for name, detail in error.detail.items():
                self._details.setdefault(name, detail)
            return cast("Value", None)
