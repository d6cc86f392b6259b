"""The zip file of an evidence pack: always the same bytes for the same content, written without holding it in memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from hashlib import sha256
from typing import IO, Self

# The earliest time that a zip file can name: when a pack was written says its manifest, not the file system.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o644 << 16
_UNIX = 3
_LEVEL = 6


class PackArchive:
    """Adds files one after the other and notes the size and SHA-256 of each. Leaving it writes the zip's directory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self.files: dict[str, dict[str, int | str]] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file from its parts; they may come from a generator."""
        entry = zipfile.ZipInfo(name, _NO_TIME)
        entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, _UNIX, _PLAIN_FILE
        digest, size = sha256(), 0
        with self._zip.open(entry, "w", force_zip64=True) as target:
            for chunk in chunks:
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()
