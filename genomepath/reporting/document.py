"""What a report is made of: headings, paragraphs, lists, tables and figures, before anybody chose Markdown or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A section title; level 2 is a section of the report, 3 a part of one."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text, without markup of its own."""

    text: str


@dataclass(frozen=True)
class Notice:
    """A sentence that nobody may overlook."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Cells of text; the first column names the row. ``marked`` names the row that the table is about."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing as SVG with what it shows in words, and its numbers as a table for those who don't see it."""

    svg: str
    description: str
    table: Table


Block = Heading | Paragraph | Notice | Bullets | Table | Figure


@dataclass(frozen=True)
class Document:
    """A title and what follows."""

    title: str
    blocks: Sequence[Block]
