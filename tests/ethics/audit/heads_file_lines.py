"""The lines of a heads file, read and changed as somebody who may write it changes them."""

from __future__ import annotations

import json
from pathlib import Path


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "heads.jsonl").read_text().splitlines()]


def write_lines(folder: Path, entries: list[dict[str, object]]) -> None:
    (folder / "heads.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def add_line(folder: Path, entry: dict[str, object]) -> None:
    write_lines(folder, [*lines(folder), entry])


def change_line(folder: Path, place: int, **changes: object) -> None:
    entries = lines(folder)
    entries[place] |= changes
    write_lines(folder, entries)


def cut_file(folder: Path, count: int) -> None:
    write_lines(folder, lines(folder)[:count])
