"""Gives the tests real services in a home of their own, before Django reads its settings.

One test run at a time uses a home: a second one would drop the databases under the first.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("NEUROBOTANICA_HOME") or PROJECT_ROOT / ".local").resolve()
if HOME.name != "test":
    HOME = HOME / "test"

os.environ["NEUROBOTANICA_HOME"] = str(HOME)
os.environ["NEUROBOTANICA_FAST_TEST_DB"] = "1"

from neurobotanica.bootstrap import prepare_environment  # noqa: E402

prepare_environment()
HOME_IN_USE = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the home for this run; the kernel frees it however the run ends, and no child inherits it."""
    if hasattr(config, "workerinput"):  # a worker of a run that keeps it
        return
    config.stash[HOME_IN_USE] = _lock_home(HOME / "test_run.lock")


def _lock_home(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode() or "unknown"
        raise pytest.UsageError(
            f"another test run (process {holder}) uses {path.parent}. Wait for it or end it, "
            "or give this one a home of its own: NEUROBOTANICA_HOME=/some/folder."
        ) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
