"""Run several long-lived processes as one: they start together, and none outlives another.

Imports no Django. For a demo or a development machine; production uses its container engine for this.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 10.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class ProcessPlan:
    """One process to run: its name for messages and its command."""

    name: str
    command: Sequence[str]


@dataclass
class Supervisor:
    """Runs the planned processes until one ends, or until SIGINT or SIGTERM arrives."""

    plans: Sequence[ProcessPlan]
    folder: Path
    environment: Mapping[str, str]
    report: Callable[[str], object]
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _asked_to_stop: bool = False

    def run(self, *, when_started: Callable[["Supervisor"], None]) -> int:
        """Start all, call `when_started`, wait, end all. Returns 0 after a signal, 1 when a process ended by itself."""
        previous = {number: signal.signal(number, self._ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for plan in self.plans:
                self._children[plan.name] = self._start(plan)
            when_started(self)
            while not self._asked_to_stop and not self.ended():
                time.sleep(POLL_SECONDS)
            for name, code in self.ended().items():
                if not self._asked_to_stop:
                    self.report(f"{name} ended by itself with exit code {code}; ending the others")
            return 0 if self._asked_to_stop else 1
        finally:
            self._end_all()
            for number, handler in previous.items():
                signal.signal(number, handler)

    @property
    def stopping(self) -> bool:
        """Whether the end has begun: a signal arrived or a process ended."""
        return self._asked_to_stop or bool(self.ended())

    def ended(self) -> dict[str, int]:
        """Exit codes of the processes that have ended, by name."""
        codes = {name: child.poll() for name, child in self._children.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def _start(self, plan: ProcessPlan) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches this process alone, which then ends the others in order.
        return subprocess.Popen(
            list(plan.command),
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process has no threads
        )

    def stop(self) -> None:
        """Have `run` end all processes and return 0."""
        self._asked_to_stop = True

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._asked_to_stop:
            self._signal_all(signal.SIGKILL)
        self._asked_to_stop = True

    def _end_all(self) -> None:
        """SIGTERM to every process; SIGKILL to what is left of their groups after some patience."""
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.ended()) < len(self._children) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for child in self._children.values():
            _kill_group(child.pid)
            child.wait()

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(number)


def run_as_group(command: Sequence[str], *, folder: Path) -> int:
    """Run `command` to its end, its output passed through, and return its exit code.

    SIGINT and SIGTERM end it together with every process that it started (a second one with SIGKILL), and the answer
    is then 128 plus the signal's number, as in a shell. When this process is killed, the command ends too.
    """
    arrived: list[int] = []
    started: list[subprocess.Popen[bytes]] = []

    def end_group(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        for child in started:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGTERM if len(arrived) == 1 else signal.SIGKILL)

    # Before the command starts: a signal between the two would end this process alone, by default.
    previous = {number: signal.signal(number, end_group) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        child = subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process has no threads
        )
        started.append(child)
        if arrived:
            os.killpg(child.pid, signal.SIGTERM)
        code = child.wait()
    finally:
        for child in started:
            _kill_group(child.pid)
        for number, handler in previous.items():
            signal.signal(number, handler)
    if arrived:
        return 128 + arrived[0]
    return code if code >= 0 else 128 - code


def _kill_group(leader: int) -> None:
    """SIGKILL what remains of a child's process group: workers that a killed parent left behind."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM to this child when its parent dies, even by SIGKILL (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
