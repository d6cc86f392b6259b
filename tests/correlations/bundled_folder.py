"""A copy of the bundled data in which a test spoils one row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from correlations.bundled.reader import DATA_FOLDER


def spoiled_copy(folder: Path, file: str, row: int, changes: dict[str, Any], drop: tuple[str, ...] = ()) -> Path:
    """Copies the data to ``folder`` with one row of one file changed; returns the copy."""
    copy = folder / "data"
    shutil.copytree(DATA_FOLDER, copy)
    rows = json.loads((copy / file).read_text(encoding="utf-8"))
    rows[row].update(changes)
    for field in drop:
        del rows[row][field]
    (copy / file).write_text(json.dumps(rows), encoding="utf-8")
    return copy
