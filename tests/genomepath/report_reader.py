"""Reads reports back: the tables of the Markdown and of the page by their caption, as rows of cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import pairwise

from genomepath.reporting.document import Block, Bullets, Paragraph

Tables = dict[str, list[list[str]]]


def markdown_tables(text: str) -> Tables:
    """Caption to rows, the header first; escapes undone."""
    tables: Tables = {}
    blocks = text.split("\n\n")
    for caption, block in pairwise(blocks):
        if block.startswith("|"):
            lines = [line for line in block.splitlines() if not line.startswith("|--")]
            tables[_plain(caption.strip("*"))] = [
                [_plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines
            ]
    return tables


def page_tables(text: str) -> Tables:
    """The same of the page."""
    reader = _PageTables()
    reader.feed(text)
    return reader.tables


def sentences(blocks: Iterable[Block]) -> list[str]:
    """What paragraphs and lists say, in their order."""
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            found.append(block.text)
        if isinstance(block, Bullets):
            found += block.items
    return found


def interval(estimate: dict) -> str:
    """How an estimate of the JSON must be printed."""
    if estimate["value"] is None:
        return "not measured"
    value, low, high = (100 * estimate[name] for name in ("value", "low", "high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


class _PageTables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: Tables = {}
        self._rows: list[list[str]] = []
        self._text = ""

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self._rows.append([])
        if tag in {"caption", "th", "td"}:
            self._text = ""

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        if tag == "caption":
            self._rows = self.tables.setdefault(self._text, [])
        if tag in {"th", "td"}:
            self._rows[-1].append(" ".join(self._text.split()))
