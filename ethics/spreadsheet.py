"""Texts that people wrote, made safe for the cells of a spreadsheet."""

from __future__ import annotations

from typing import Any

# A text that begins so would be a formula in a spreadsheet, also after white space that the program drops.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> Any:
    """The value; a text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if not isinstance(value, str):
        return value
    starts = value.startswith(_FORMULA_STARTS) or value.lstrip().startswith(_FORMULA_STARTS)
    return f"'{value}" if starts else value
