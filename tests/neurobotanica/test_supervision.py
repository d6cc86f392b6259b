"""Several processes run as one: none outlives another, whatever ends first and however."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SUPERVISE = """
import os, sys
from pathlib import Path
from neurobotanica.supervision import ProcessPlan, Supervisor

plans = [ProcessPlan(f"process {n}", ["sh", "-c", script]) for n, script in enumerate(sys.argv[2:])]
def announce(text):
    print(text, flush=True)
supervisor = Supervisor(plans=plans, folder=Path(sys.argv[1]), environment=os.environ, report=announce)
sys.exit(supervisor.run(when_started=lambda running: announce("started")))
"""


RUN_AS_GROUP = """
import sys
from pathlib import Path
from neurobotanica.supervision import run_as_group

sys.exit(run_as_group(["sh", "-c", sys.argv[2]], folder=Path(sys.argv[1])))
"""


def run_as_group(folder: Path, script: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen([sys.executable, "-c", RUN_AS_GROUP, str(folder), script], env=environment)


def supervise(folder: Path, *scripts: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(folder), *scripts],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def recorded_pid(path: Path) -> int:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def is_gone(pid: int) -> bool:
    """Whether the process ended within 10 s; a zombie that init has yet to reap counts as ended."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if not Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_when_one_process_ends_by_itself_the_others_are_ended_and_the_run_has_failed(tmp_path):
    running = supervise(tmp_path, "echo $$ > kept; exec sleep 300", "while [ ! -s kept ]; do sleep 0.1; done; exit 3")
    output, _ = running.communicate(timeout=30)

    assert running.returncode == 1
    assert "process 1 ended by itself with exit code 3" in output
    assert is_gone(recorded_pid(tmp_path / "kept"))


def test_sigterm_ends_every_process_and_is_no_failure(tmp_path):
    running = supervise(tmp_path, "echo $$ > first; exec sleep 300", "echo $$ > second; exec sleep 300")
    pids = [recorded_pid(tmp_path / name) for name in ("first", "second")]

    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)

    assert running.returncode == 0
    assert all(is_gone(pid) for pid in pids)


def test_sigkill_of_the_supervisor_still_ends_its_processes(tmp_path):
    running = supervise(tmp_path, "echo $$ > first; exec sleep 300")
    pid = recorded_pid(tmp_path / "first")

    running.kill()
    running.communicate(timeout=30)

    assert is_gone(pid)


def test_children_of_a_process_that_was_killed_are_ended_too(tmp_path):
    running = supervise(tmp_path, "sleep 300 & echo $! > grandchild; echo $$ > parent; wait")
    grandchild, parent = recorded_pid(tmp_path / "grandchild"), recorded_pid(tmp_path / "parent")

    os.kill(parent, signal.SIGKILL)
    running.communicate(timeout=30)

    assert running.returncode == 1
    assert is_gone(grandchild)


def test_a_command_run_as_a_group_passes_its_exit_code_on(tmp_path):
    assert run_as_group(tmp_path, "exit 7").wait(timeout=30) == 7


def test_a_signal_ends_the_command_with_everything_that_it_started(tmp_path):
    script = "sleep 300 & echo $! > grandchild; echo $$ > command; wait"
    for number in (signal.SIGINT, signal.SIGTERM):
        running = run_as_group(tmp_path, script)
        pids = [recorded_pid(tmp_path / name) for name in ("grandchild", "command")]

        running.send_signal(number)

        assert running.wait(timeout=30) == 128 + number
        assert all(is_gone(pid) for pid in pids)
        for name in ("grandchild", "command"):
            (tmp_path / name).unlink()


SIGNALLED_WHILE_STARTING = """
import os, signal, subprocess, sys
from pathlib import Path
from neurobotanica import supervision

start = subprocess.Popen
def start_and_be_signalled(*arguments, **options):
    child = start(*arguments, **options)
    os.kill(os.getpid(), signal.SIGTERM)
    return child
supervision.subprocess.Popen = start_and_be_signalled
sys.exit(supervision.run_as_group(["sh", "-c", "echo $$ > command; exec sleep 300"], folder=Path(sys.argv[1])))
"""


def test_a_signal_that_arrives_while_the_command_starts_ends_it_too(tmp_path):
    running = subprocess.run(
        [sys.executable, "-c", SIGNALLED_WHILE_STARTING, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        timeout=30,
        check=False,
    )

    assert running.returncode == 128 + signal.SIGTERM
    pids = [int(name) for name in (tmp_path / "command").read_text().split()] if (tmp_path / "command").exists() else []
    assert all(is_gone(pid) for pid in pids)
