"""Writers and sealers as processes: `python -m tests.ethics.audit.log_processes STOP_FILE WRITERS PAUSE`.

One process is set up and forks the others, which is far quicker than as many start-ups. Each line on its standard input
starts a sealer, which prints its process id once it leads. Writers write until the file appears, and leave what they
committed in STOP_FILE.<number>. Some transactions stay open after they have written, some take all back.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    """Fork, obey, and end when standard input and the writers have ended."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
    import django

    django.setup()
    stop, writers, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in range(writers):
        _fork(lambda number=number: _write(stop, number, pause))  # type: ignore[misc]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        _fork(_seal)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def _fork(work: Callable[[], None]) -> None:
    if os.fork() == 0:
        try:
            work()
        finally:
            os._exit(0)


def _seal() -> None:
    from ethics.audit.sealer_process import run_sealer

    def report(text: str) -> None:
        sys.stdout.write(f"{os.getpid()} {text}\n")
        sys.stdout.flush()

    run_sealer(stopped=lambda: False, report=report, interval=0.05)


def _write(stop: Path, number: int, pause: float) -> None:
    from django.db import transaction

    from ethics import audit

    os.nice(5)  # the sealer shall get its turn on a small machine
    chance, committed = random.Random(number), 0
    while not stop.exists():
        events = chance.choice((1, 1, 1, 5))
        taken_back = chance.random() < 0.05
        with transaction.atomic():
            for place in range(events):
                audit.record("sacred.viewed", subjects=[f"item-{place}"], communities=["synthetic"])
            if chance.random() < 0.02:
                time.sleep(chance.uniform(0.1, 1.0))
            transaction.set_rollback(taken_back)
        committed += 0 if taken_back else events
        time.sleep(pause)
    stop.with_suffix(f".{number}").write_text(str(committed), encoding="ascii")


if __name__ == "__main__":
    main()
