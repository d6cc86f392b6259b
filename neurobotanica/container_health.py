"""`python -m neurobotanica.container_health web|beat|sealer`: the health checks of the containers.

The worker's check is Celery's own `inspect ping`. Imports no Django, so that a check costs little.
"""

import argparse
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

# The scheduler writes its schedule file at least every 3 minutes and sleeps at most 5.
SCHEDULE_SECONDS = 600.0
# The sealer leaves its mark after every round, which comes each second and seals what waited.
ROUND_SECONDS = 60.0


def web_problem(*, port: int, host: str) -> str | None:
    """Why the site on `port` is not healthy, or None. `host` is a host name that ALLOWED_HOSTS permits."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz", headers={"Host": host, "X-Forwarded-Proto": "https"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return None if answer.status == 200 else f"/healthz answered {answer.status}"
    except (urllib.error.URLError, OSError) as error:
        return f"/healthz did not answer: {error}"


def beat_problem(schedule: Path) -> str | None:
    """Why the scheduler is not healthy, or None: its schedule file must have been written lately."""
    found = [path for path in schedule.parent.glob(f"{schedule.name}*") if path.is_file()]
    if not found:
        return f"there is no schedule file {schedule}"
    age = time.time() - max(path.stat().st_mtime for path in found)
    return None if age < SCHEDULE_SECONDS else f"{schedule} was written {age:.0f} s ago"


def sealer_problem(mark: Path) -> str | None:
    """Why the sealer is not healthy, or None: its mark must be fresh. It stays away while the sealer refuses to go on."""
    try:
        age = time.time() - mark.stat().st_mtime
    except OSError:
        return f"there is no mark {mark}"
    return None if age < ROUND_SECONDS else f"the last round ended {age:.0f} s ago"


def main(arguments: list[str] | None = None) -> int:
    """0 when healthy, else 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m neurobotanica.container_health", description=__doc__)
    parser.add_argument("process", choices=("web", "beat", "sealer"))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--schedule", type=Path, default=Path("/var/lib/neurobotanica/celerybeat-schedule"))
    parser.add_argument("--mark", type=Path, help="by default sealer.alive in AUDIT_FOLDER")
    options = parser.parse_args(arguments)
    if options.process == "web":
        host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".")
        problem = web_problem(port=options.port, host=host)
    elif options.process == "sealer":
        folder = Path(os.environ.get("AUDIT_FOLDER") or Path(os.environ["NEUROBOTANICA_HOME"]) / "audit")
        problem = sealer_problem(options.mark or folder / "sealer.alive")
    else:
        problem = beat_problem(options.schedule)
    if problem is not None:
        sys.stderr.write(f"{options.process}: {problem}\n")
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())
