"""Starts the services from a process of their own, as a shell would."""

import os
import subprocess
import sys
from pathlib import Path

from neurobotanica.embedded import services_status

PROJECT = Path(__file__).resolve().parents[3]


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "NEUROBOTANICA_FAST_TEST_DB": "1"}


def starter_command(action: str, home: Path, *flags: str) -> list[str]:
    return [sys.executable, *flags, "-m", "neurobotanica.embedded", action, "--home", str(home)]


def run_action(action: str, home: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run to its end with captured output: hangs (and fails) if a server keeps hold of our pipes."""
    return subprocess.run(
        starter_command(action, home, *flags),
        cwd="/",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pids(home: Path) -> dict[str, int | None]:
    return {state.name: state.pid for state in services_status(home)}
