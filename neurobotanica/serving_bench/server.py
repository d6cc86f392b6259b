"""A real granian on a free loopback port, ended with the measurement."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from neurobotanica.bootstrap import PROJECT_ROOT

# Names the file whose bytes the comparison views return.
BYTES_VARIABLE = "NEUROBOTANICA_BENCH_BYTES"
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ServerFailed(Exception):
    """The server did not start; the message holds the end of its output."""


@dataclass(frozen=True)
class RunningServer:
    """A server that answers: its port, the seconds until its first good answer, and its first process."""

    port: int
    seconds_to_ready: float
    pid: int

    def worker_mib(self) -> float:
        """The memory of its largest process, resident, in MiB."""
        sizes = [_resident_mib(pid) for pid in (self.pid, *_children(self.pid))]
        return round(max(sizes), 1)


@contextmanager
def running_server(
    application: str, *, ready_path: str, workers: int, environment: Mapping[str, str]
) -> Iterator[RunningServer]:
    """Serve a WSGI application.

    Raises:
        ServerFailed: it ended, or did not answer 200 on ``ready_path`` in time.
    """
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", "4", "--log-level", "warning", application]
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, port, ready_path, output)
            yield RunningServer(port, time.monotonic() - started, process.pid)
        finally:
            _stop(process)


@contextmanager
def granian_server(
    application: str, *, ready_path: str, workers: int, environment: Mapping[str, str]
) -> Iterator[tuple[int, float]]:
    """The same; gives the port and the seconds until the first good answer.

    Raises:
        ServerFailed: as ``running_server``.
    """
    with running_server(application, ready_path=ready_path, workers=workers, environment=environment) as server:
        yield server.port, server.seconds_to_ready


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, output: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    output.seek(0)
    raise ServerFailed(f"granian did not become ready:\n{output.read()[-2000:].decode(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server; its workers are in its session and go with it even when it does not answer."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
