"""Eight writers, and a sealer that is killed again and again: nothing is lost, nothing is sealed twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ethics.audit.sealing import seal_round
from ethics.audit.state import log_state
from ethics.models import AuditEvent, AuditHead
from tests.ethics.audit.stored_log import assert_log_is_whole

ROOT = Path(__file__).resolve().parents[3]
WRITERS = 8


@dataclass(frozen=True)
class LogProcesses:
    """Writers at work, and sealers as asked for."""

    launcher: subprocess.Popen[str]
    stop: Path

    def start_sealer(self) -> None:
        assert self.launcher.stdin is not None
        self.launcher.stdin.write("seal\n")
        self.launcher.stdin.flush()

    def next_leader(self) -> int:
        """Waits until a sealer leads; its process id."""
        assert self.launcher.stdout is not None
        pid, text = self.launcher.stdout.readline().split(" ", 1)
        assert text == "sealing\n"
        return int(pid)

    def end(self, *sealers: int) -> int:
        """End all; how many events the writers committed."""
        self.stop.touch()
        for pid in sealers:
            os.kill(pid, signal.SIGKILL)
        self.launcher.communicate(timeout=120)
        return sum(int(path.read_text()) for path in self.stop.parent.glob("stop.*"))


@pytest.fixture
def environment(committed_database, settings) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": committed_database.url,
        "AUDIT_FOLDER": str(settings.AUDIT_FOLDER),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def log_processes(environment: dict[str, str], stop: Path, *, pause: float) -> Iterator[LogProcesses]:
    command = [sys.executable, "-m", "tests.ethics.audit.log_processes", str(stop), str(WRITERS), str(pause)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as launcher:  # fmt: skip
        try:
            assert launcher.stdout is not None
            assert launcher.stdout.readline() == "ready\n"
            yield LogProcesses(launcher, stop)
        finally:
            if launcher.poll() is None:
                os.killpg(launcher.pid, signal.SIGKILL)


def check_under_kills(environment: dict[str, str], stop: Path, *, seconds: float, kills: int, pause: float) -> None:
    """Sealers are killed at random while writers write; then everything that was committed is sealed once."""
    chance = random.Random(1)
    with log_processes(environment, stop, pause=pause) as processes:
        ends = time.monotonic() + seconds
        while kills > 0 or time.monotonic() < ends:
            processes.start_sealer()
            leader = processes.next_leader()
            time.sleep(chance.uniform(0.0, 0.5))
            os.kill(leader, signal.SIGKILL)
            kills -= 1
        committed = processes.end()
    assert AuditEvent.objects.count() == committed > 0
    assert AuditHead.objects.exists(), "the killed sealers sealed something"
    seal_round()
    assert log_state().unsealed == 0
    assert_log_is_whole()


def test_killed_sealers_leave_no_event_unsealed_and_none_sealed_twice(environment, tmp_path, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        check_under_kills(environment, tmp_path / "stop", seconds=2, kills=6, pause=0.05)


@pytest.mark.slow
def test_the_same_for_a_minute(environment, tmp_path, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        check_under_kills(environment, tmp_path / "stop", seconds=60, kills=20, pause=0)


def test_of_two_sealers_one_leads_and_the_other_goes_on_when_it_is_killed(
    environment, tmp_path, django_db_blocker
) -> None:
    with django_db_blocker.unblock():
        with log_processes(environment, tmp_path / "stop", pause=0.05) as processes:
            processes.start_sealer()
            processes.start_sealer()
            leader = processes.next_leader()
            time.sleep(1)
            os.kill(leader, signal.SIGKILL)
            second = processes.next_leader()
            time.sleep(0.5)
            committed = processes.end(second)
        assert second != leader
        assert AuditEvent.objects.count() == committed > 0
        seal_round()
        assert_log_is_whole()


def test_the_command_seals_until_it_is_told_to_end(environment, django_db_blocker) -> None:
    command = [sys.executable, "manage.py", "seal_audit_log", "--interval", "0.05"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "sealer: sealing\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
