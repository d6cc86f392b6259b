"""Writer processes: `python -m neurobotanica.audit_bench.writers log|chain WRITERS SECONDS`; prints a JSON report.

One event a transaction, as a served prediction writes it. ``log`` records and nothing more. ``chain`` does what a hash chain
must: take the one lock, read the event before, put its hash into the new one, commit.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
import uuid
from collections.abc import Callable
from hashlib import sha256
from typing import Any

SAMPLE_SECONDS = 0.5
DRAIN_SECONDS = 60.0
START_SECONDS = 60.0
_CHAIN_LOCK = 0x636861696E


def main() -> int:
    """Write for so long, watch the lag meanwhile, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=("log", "chain"))
    parser.add_argument("writers", type=int)
    parser.add_argument("seconds", type=float)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "neurobotanica.settings")
    from neurobotanica.bootstrap import prepare_environment

    prepare_environment()
    import django

    django.setup()
    forking = multiprocessing.get_context("fork")
    begin, results = forking.Barrier(options.writers + 1), forking.Queue()
    write = _write_chained if options.mode == "chain" else _write_event
    processes = [
        forking.Process(target=_writer, args=(write, begin, options.seconds, results)) for _ in range(options.writers)
    ]
    for process in processes:
        process.start()
    begin.wait(START_SECONDS)
    lags = _watch_lag(options.seconds) if options.mode == "log" else []
    counts = [results.get() for _ in processes]
    for process in processes:
        process.join()
    sys.stdout.write(json.dumps(_report(options, counts, lags)) + "\n")
    return 0


def _report(options: argparse.Namespace, counts: list[tuple[int, float]], lags: list[float]) -> dict[str, Any]:
    report: dict[str, Any] = {
        "mode": options.mode,
        "writers": options.writers,
        "events": sum(count for count, _ in counts),
        "events_per_second": round(sum(count / seconds for count, seconds in counts)),
    }
    if options.mode == "log":
        started = time.monotonic()
        drained = _drained(started + DRAIN_SECONDS)
        report |= {
            "largest_lag_seconds": round(max(lags, default=0.0), 2),
            "seconds_until_all_sealed": round(time.monotonic() - started, 2) if drained else None,
        }
    return report


def _writer(write: Callable[[int], None], begin: Any, seconds: float, results: Any) -> None:
    from django.db import connection

    from ethics.audit import AuditContext, audit_context

    connection.ensure_connection()
    with audit_context(AuditContext("Bench client", "client", client_id=str(uuid.uuid4()))):
        write(0)
        begin.wait(START_SECONDS)
        started, count = time.perf_counter(), 0
        while (taken := time.perf_counter() - started) < seconds:
            write(count)
            count += 1
    results.put((count, taken))


def _write_event(number: int, model_sha256: str = "0" * 64) -> None:
    from ethics import audit
    from ethics.policy import Purpose

    audit.record(
        "prediction.served",
        subjects=[f"00000000-0000-4000-8000-{number % 97:012d}"],
        communities=["synthetic-community"],
        purpose=Purpose.PREDICTION,
        model_sha256=model_sha256,
        details={"direction": "tk_to_genomic", "count": 8},
    )


def _write_chained(number: int) -> None:
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
            cursor.execute("SELECT canonical FROM ethics_auditevent ORDER BY id DESC LIMIT 1")
            row = cursor.fetchone()
        _write_event(number, sha256(row[0].encode() if row else b"").hexdigest())


def _watch_lag(seconds: float) -> list[float]:
    from ethics.audit.state import log_state

    ends, lags = time.monotonic() + seconds, []
    while time.monotonic() < ends:
        lags.append(log_state().lag_seconds)
        time.sleep(SAMPLE_SECONDS)
    return lags


def _drained(deadline: float) -> bool:
    from ethics.audit.state import log_state

    while time.monotonic() < deadline:
        if log_state().unsealed == 0:
            return True
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    sys.exit(main())
