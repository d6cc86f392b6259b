"""`make demo`: from nothing to an attributed prediction, then the site with its workers.

Every step is a `manage.py` command in a process of its own. Each may be repeated, so a demo that was killed in the
middle is simply run again.
"""

import argparse
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from neurobotanica.bootstrap import PROJECT_ROOT, home_folder, prepare_environment
from neurobotanica.embedded import EmbeddedServiceError
from neurobotanica.supervision import ProcessPlan, Supervisor, run_as_group

HOST = "127.0.0.1"
DEMO_PRACTICE = "thailand-suk-sai-yad"
READY_SECONDS = 60.0
INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


@dataclass(frozen=True)
class Step:
    """One `manage.py` command and what it is for."""

    purpose: str
    arguments: tuple[str, ...]


def demo_steps(home: Path) -> list[Step]:
    """The commands from an empty database to a printed prediction and a sealed log, in order."""
    evaluation = str(home / "evaluation.json")
    return [
        Step("Create or upgrade the tables", ("migrate", "--no-input", "--verbosity", "1")),
        Step("Load the bundled knowledge", ("load_bundled",)),
        Step("Train the model", ("train_genomepath",)),
        Step(
            "Evaluate it on data that it did not see",
            ("evaluate_genomepath", "--quick-calibration", "--json", evaluation),
        ),
        Step("Promote it and publish its predictions", ("promote_model",)),
        Step("Predict, with attribution", ("predict", "--practice", DEMO_PRACTICE, "--dose", "medium")),
        Step("Seal the audit log", ("seal_audit_log", "--once")),
    ]


def site_processes(home: Path, *, port: int) -> list[ProcessPlan]:
    """The web server, the workers of both queues, the scheduler and the sealer of the audit log."""
    python = sys.executable
    web = [python, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    web += ["--workers", "1", "--blocking-threads", "4"]
    celery = [python, "-m", "celery", "-A", "neurobotanica"]
    worker = [*celery, "worker", "--loglevel", "WARNING", "--concurrency", "1"]
    schedule = ["--schedule", str(home / "celerybeat-schedule"), "--pidfile", "", "--loglevel", "WARNING"]
    return [
        ProcessPlan("web server", [*web, "--log-level", "warning", "neurobotanica.wsgi:application"]),
        ProcessPlan("worker", [*worker, "--queues", "default", "--hostname", "default@%h"]),
        ProcessPlan("ml worker", [*worker, "--queues", "ml", "--hostname", "ml@%h"]),
        ProcessPlan("scheduler", [*celery, "beat", *schedule]),
        ProcessPlan("sealer", [python, "manage.py", "seal_audit_log"]),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m neurobotanica.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port of the site on 127.0.0.1 (default 8000)")
    parser.add_argument("--no-serve", action="store_true", help="stop before serving")
    options = parser.parse_args(arguments)
    home = home_folder()
    if not options.no_serve and port_is_taken(options.port):
        say(
            f"error: another program listens on {HOST}:{options.port}. "
            f"Stop it (another demo?), or choose another port: make demo PORT={options.port + 1}"
        )
        return 1
    try:
        prepare_environment()
    except EmbeddedServiceError as error:
        say(f"error: {error}")
        return 1
    code = run_steps(demo_steps(home))
    if code != 0 or options.no_serve:
        return code
    return serve(home, port=options.port)


def run_steps(steps: list[Step]) -> int:
    """Run the steps in order, their output passed through; stops at the first that fails with its exit code."""
    for number, step in enumerate(steps, start=1):
        say(f"\n[{number}/{len(steps)}] {step.purpose}: manage.py {' '.join(step.arguments)}")
        started = time.monotonic()
        code = run_as_group([sys.executable, "manage.py", *step.arguments], folder=PROJECT_ROOT)
        if code in INTERRUPTED:
            say("\ninterrupted; run it again to start over")
            return code
        if code != 0:
            say(f"error: step {number} ({step.arguments[0]}) failed with exit code {code}")
            return code
        say(f"    {time.monotonic() - started:.1f} s")
    return 0


def serve(home: Path, *, port: int) -> int:
    """Serve the site with its workers until Ctrl-C or SIGTERM; 1 when one of them fails."""
    environment = {**os.environ, "NEUROBOTANICA_HOME": str(home)}
    # What serves has no way to the owner's role.
    environment.pop("DATABASE_OWNER_URL", None)
    processes = site_processes(home, port=port)
    supervisor = Supervisor(plans=processes, folder=PROJECT_ROOT, environment=environment, report=say)

    def announce(running: Supervisor) -> None:
        if wait_until_healthy(running, f"http://{HOST}:{port}/healthz"):
            say(f"\nThe site answers on http://{HOST}:{port}/ (API docs: /api/docs/, admin: /admin/). Ctrl-C ends it.")
            say("An account for the admin: .venv/bin/python manage.py createsuperuser")
            say("A key for the API:        .venv/bin/python manage.py create_api_key NAME")

    return supervisor.run(when_started=announce)


def wait_until_healthy(running: Supervisor, url: str) -> bool:
    """Whether the site answered within a minute; False when it did not or a process ended."""
    deadline = time.monotonic() + READY_SECONDS
    reason = "no answer"
    while not running.stopping and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http address
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError) as error:
            reason = str(error)
        time.sleep(0.2)
    if not running.stopping:
        say(f"warning: {url} is not healthy after {READY_SECONDS:.0f} s: {reason}")
    return False


def port_is_taken(port: int) -> bool:
    """Whether the web server could not listen on `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def say(text: str) -> None:
    """Print a line at once, in order with the output of the steps."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
