"""One starter at a time: an exclusive lock that the kernel frees when its holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurobotanica.embedded.errors import EmbeddedServiceError

LOCK_TIMEOUT_SECONDS = 180.0
POLL_SECONDS = 0.05


@contextmanager
def exclusive_lock(path: Path, *, timeout: float = LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold `path` exclusively, across processes and threads.

    The lock belongs to the open file, not to the file's existence, so a starter killed with SIGKILL leaves nothing to
    clean up. The file itself stays: removing it would let two holders lock two different files of one name.

    Raises:
        EmbeddedServiceError: the lock can't be opened, or another process held it for `timeout` seconds.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedServiceError(
            f"cannot open the lock {path}: {error.strerror}. Use the account that made this folder, "
            "or set NEUROBOTANICA_HOME to a folder that you may write."
        ) from error
    try:
        _acquire(descriptor, path, timeout)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                raise EmbeddedServiceError(
                    f"process {holder} has been starting or stopping the services for over {timeout:.0f} s "
                    f"(lock {path}). Wait for it, or end that process and try again."
                ) from error
            time.sleep(POLL_SECONDS)
        else:
            return
