"""Files that are on the disk, and not only in its cache, when the call returns."""

from __future__ import annotations

import os
from pathlib import Path


def write_new_file(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that must not exist yet, with these permissions from its first moment on.

    Raises:
        OSError: it exists, or can't be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make new names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
