"""Processes that train the points of a study where no ML worker runs. They end with the process that started them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread
from uuid import UUID

import django

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_COMMAND = "from genomepath.tuning_processes import serve; serve()"


class TuningProcesses:
    """So many processes, each of which takes up points until none is left."""

    def __init__(self, study: UUID, count: int) -> None:
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment["TUNING_STUDY"] = str(study)
        command = [sys.executable, "-c", _COMMAND]
        self._processes = [subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) for _ in range(count)]

    def any_works(self) -> bool:
        """Whether one of them has not ended."""
        return any(process.poll() is None for process in self._processes)

    def stop(self) -> None:
        """End all of them, also in the middle of a point, which waits again when its heartbeat is old."""
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


@contextlib.contextmanager
def tuning_processes(study: UUID, count: int) -> Iterator[TuningProcesses]:
    """The processes for the time of the block."""
    started = TuningProcesses(study, count)
    try:
        yield started
    finally:
        started.stop()


def serve() -> None:
    """Entry point of a process: trains what is left of the study that the environment names."""
    Thread(target=_end_with_parent, daemon=True).start()
    django.setup()
    from genomepath.tuning_execution import tuning_study_work

    tuning_study_work(public_id=UUID(os.environ["TUNING_STUDY"]))


def _end_with_parent() -> None:
    sys.stdin.read()  # ends when the parent does
    os._exit(1)
