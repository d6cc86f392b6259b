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
from typing import IO

from neurobotanica.bootstrap import PROJECT_ROOT

# Names the file whose bytes the comparison views return.
BYTES_VARIABLE = "NEUROBOTANICA_BENCH_BYTES"
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ServerFailed(Exception):
    """The server did not start; the message holds the end of its output."""


@contextmanager
def granian_server(
    application: str, *, ready_path: str, workers: int, environment: Mapping[str, str]
) -> Iterator[tuple[int, float]]:
    """Serve a WSGI application; gives the port and the seconds until the first good answer.

    Raises:
        ServerFailed: it ended, or did not answer 200 on ``ready_path`` in time.
    """
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--log-level", "warning", application]
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
            yield port, time.monotonic() - started
        finally:
            _stop(process)


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
