"""`python -m neurobotanica.embedded start|stop|status|remove --home DIR`: the services without Django."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from neurobotanica.embedded.errors import EmbeddedServiceError
from neurobotanica.embedded.services import ensure_services, remove_services, services_status, stop_services


def main(arguments: list[str] | None = None) -> int:
    """Run one action and return the exit code: 0 done, 1 failed or (for status) not all running."""
    parser = argparse.ArgumentParser(prog="python -m neurobotanica.embedded", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status", "remove"))
    parser.add_argument("--home", type=Path, required=True, help="folder with the services' data (NEUROBOTANICA_HOME)")
    options = parser.parse_args(arguments)
    try:
        return run_action(options.action, options.home, sys.stdout.write)
    except EmbeddedServiceError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def run_action(action: str, home: Path, write: Callable[[str], object]) -> int:
    """Start, stop, describe or delete the services of `home`, telling `write` about it; never tells a password."""
    if action in {"stop", "remove"}:
        stopped = stop_services(home) if action == "stop" else remove_services(home)
        write(f"stopped {' and '.join(stopped)}\n" if stopped else "no service was running\n")
        return 0
    if action == "start":
        ensure_services(home)
    states = services_status(home)
    for state in states:
        where = f"running, pid {state.pid}, {state.address}, log {state.log}" if state.running else "not running"
        write(f"{state.name}: {where}\n")
    return 0 if all(state.running for state in states) else 1


if __name__ == "__main__":
    sys.exit(main())
