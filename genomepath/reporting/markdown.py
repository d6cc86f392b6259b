"""A document as Markdown that reads as plain text too. Figures are told by their tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genomepath.reporting.document import Block, Bullets, Document, Figure, Heading, Notice, Paragraph, Table

_MARKUP = re.compile(r"[\\`*<|]|(?<=\])\(")


def render_markdown(document: Document) -> str:
    """The whole document."""
    return "\n\n".join([f"# {_text(document.title)}", *map(_block, document.blocks)]) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_text(text)}"
        case Paragraph(text):
            return _text(text)
        case Notice(text):
            return f"**{_text(text)}**"
        case Bullets(items):
            return "\n".join(f"- {_text(item)}" for item in items)
        case Figure(_, description, table):
            return f"{_text(description)}\n\n{_table(table)}"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    rows = [[_text(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.header))]
    head, *body = (_row(row, widths) for row in rows)
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"*{_text(table.caption)}*", "", head, rule, *body])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _text(text: str) -> str:
    """One line, in which a curator's characters are no markup."""
    return _MARKUP.sub(lambda found: f"\\{found.group()}", " ".join(text.split()))
