"""The measurement: writers and a real sealer over a database of its own, with the durability that production has."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurobotanica.bootstrap import PROJECT_ROOT
from neurobotanica.embedded import ensure_services, remove_services

START_SECONDS = 120.0
_TARGET_EVENTS_PER_SECOND = 2000
_TARGET_TIMES_CHAIN = 5
_TARGET_LAG_SECONDS = 5.0


class BenchFailed(Exception):
    """A process of the measurement failed; the message holds the end of its output."""


@dataclass(frozen=True)
class AuditLoad:
    """How many writer processes write for how many seconds, how often; log and chain take turns."""

    writers: int
    seconds: float
    rounds: int


def measure_audit(*, load: AuditLoad, home: Path, progress: Callable[[str], object]) -> dict[str, Any]:
    """Measure in an embedded home of its own under ``home``, which is removed afterwards; its fsync is on.

    Raises:
        BenchFailed: a process of the measurement failed.
        EmbeddedServiceError: the servers do not start.
    """
    folder = home / "bench-audit"
    remove_services(folder)
    ensure_services(folder, fast_test_db=False)
    try:
        environment = _environment(folder)
        _run(["manage.py", "migrate", "--no-input", "--verbosity", "0"], environment)
        series: dict[str, list[dict[str, Any]]] = {"log": [], "chain": []}
        for number in range(1, load.rounds + 1):
            progress(f"round {number} of {load.rounds}: log")
            with _sealer(environment):
                series["log"].append(_written("log", load, environment))
            progress(f"round {number} of {load.rounds}: chain")
            series["chain"].append(_written("chain", load, environment))
        durability = _durability(environment)
    finally:
        remove_services(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return _report(load, series, durability)


def _report(load: AuditLoad, series: dict[str, list[dict[str, Any]]], durability: dict[str, str]) -> dict[str, Any]:
    log = statistics.median(entry["events_per_second"] for entry in series["log"])
    chain = statistics.median(entry["events_per_second"] for entry in series["chain"])
    lag = max(entry["largest_lag_seconds"] for entry in series["log"])
    return {
        "log_events_per_second": log,
        "chain_events_per_second": chain,
        "log_to_chain": round(log / chain, 1) if chain else None,
        "largest_lag_seconds": lag,
        "seconds_until_all_sealed": [entry["seconds_until_all_sealed"] for entry in series["log"]],
        "met": {
            "events_per_second": log >= _TARGET_EVENTS_PER_SECOND,
            "times_the_chain": log >= _TARGET_TIMES_CHAIN * chain,
            "lag": lag <= _TARGET_LAG_SECONDS,
        },
        "load": {"writers": load.writers, "seconds": load.seconds, "rounds": load.rounds},
        "machine": {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 1), **durability},
        "rounds": series,
    }


def _environment(folder: Path) -> dict[str, str]:
    """Development in a home of its own, whatever database the caller uses."""
    left_out = {
        "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "AUDIT_FOLDER", "NEUROBOTANICA_ENV",
        "NEUROBOTANICA_FAST_TEST_DB",
    }  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "NEUROBOTANICA_HOME": str(folder), "PYTHONUNBUFFERED": "1"}


def _written(mode: str, load: AuditLoad, environment: Mapping[str, str]) -> dict[str, Any]:
    output = _run(["-m", "neurobotanica.audit_bench.writers", mode, str(load.writers), str(load.seconds)], environment)
    report: dict[str, Any] = json.loads(output)
    return report


def _durability(environment: Mapping[str, str]) -> dict[str, str]:
    report: dict[str, str] = json.loads(_run(["-m", "neurobotanica.audit_bench.durability"], environment))
    return report


def _run(arguments: list[str], environment: Mapping[str, str]) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise BenchFailed(f"{' '.join(arguments)} failed:\n{finished.stderr[-2000:]}")
    return finished.stdout


@contextmanager
def _sealer(environment: Mapping[str, str]) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "manage.py", "seal_audit_log"],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101  a pipe was asked for
            first = process.stdout.readline()
            if first != "sealer: sealing\n":
                raise BenchFailed(f"the sealer did not start:\n{first}")
            yield
        finally:
            process.terminate()
            process.communicate(timeout=START_SECONDS)
