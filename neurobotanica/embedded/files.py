"""Files of the embedded services: written whole or not at all, readable by their owner alone."""

import errno
import os
import tempfile
from pathlib import Path

from neurobotanica.embedded.accounts import Account
from neurobotanica.embedded.errors import EmbeddedServiceError


def write_private(path: Path, text: str, *, owner: Account | None = None) -> None:
    """Replace `path` by `text`, mode 0600, surviving a crash or power cut with the old or the new content.

    A rename replaces whatever stands at `path` and never follows a link there, so root may write into a folder that
    an unprivileged account owns.

    Raises:
        EmbeddedServiceError: the folder can't be written or the disk is full.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            if owner is not None:
                owner.take(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise unusable_folder(path.parent, error) from error


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unusable_folder(folder: Path, error: OSError) -> EmbeddedServiceError:
    """The error to raise when `folder` can't be written, with its remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EmbeddedServiceError(
            f"the disk under {folder} is full. Free some space, or set NEUROBOTANICA_HOME to a folder on another disk."
        )
    return EmbeddedServiceError(
        f"cannot write in {folder}: {error.strerror}. Set NEUROBOTANICA_HOME to a folder that you may write, "
        "or use the account that made this one."
    )
