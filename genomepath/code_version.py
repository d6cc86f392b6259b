"""Which code a model was made with, told by content: the same without a git checkout."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ML = Path(__file__).parent / "ml"
_CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"


@cache
def code_version() -> str:
    """SHA-256 over the source files of ``genomepath.ml`` in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(_ML.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_ML).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def constraints_sha256() -> str:
    """SHA-256 of the constraints file: the versions of every package; empty where the file is not at hand."""
    return hashlib.sha256(_CONSTRAINTS.read_bytes()).hexdigest() if _CONSTRAINTS.exists() else ""
