"""A document as one HTML page that loads nothing: style and drawings stand in it, and it runs no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from genomepath.reporting.document import Block, Bullets, Document, Figure, Heading, Notice, Paragraph, Table
from genomepath.reporting.page_style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_LONG = 24
"""Characters; a longer cell may be broken into lines."""


def render_html(document: Document) -> str:
    """The whole page."""
    sections = [block for block in document.blocks if isinstance(block, Heading) and block.level == 2]
    links = "".join(f'<li><a href="#{_anchor(section)}">{escape(section.text)}</a></li>' for section in sections)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(document.title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{escape(document.title)}</h1>",
            f'<nav aria-label="Sections"><ul>{links}</ul></nav>' if links else "",
            *map(_block, document.blocks),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            anchor = f' id="{_anchor(block)}"' if level == 2 else ""
            return f"<h{level}{anchor}>{escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Notice(text):
            return f'<p class="notice"><strong>{escape(text)}</strong></p>'
        case Bullets(items):
            return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        case Table():
            return _table(block)
        case Figure(svg, description, table):
            return (
                f'<figure><div class="drawing" role="region" tabindex="0" aria-label="{escape(table.caption)}">{svg}</div>'
                f"<figcaption>{escape(description)}</figcaption>"
                f"<details><summary>The numbers as a table</summary>{_table(table)}</details></figure>"
            )


def _table(table: Table) -> str:
    caption = escape(table.caption)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    body = "\n".join(_row(row, marked=row[0] == table.marked) for row in table.rows)
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def _row(cells: Sequence[str], *, marked: bool) -> str:
    name, *rest = cells
    opening = '<tr class="marked">' if marked else "<tr>"
    return f'{opening}<th scope="row">{escape(name)}</th>{"".join(map(_cell, rest))}</tr>'


def _cell(text: str) -> str:
    """Short texts, numbers with their interval among them, stay on one line."""
    kind = "" if len(text) > _LONG else ' class="short"'
    return f"<td{kind}>{escape(text)}</td>"


def _anchor(heading: Heading) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in heading.text.lower()).split())
