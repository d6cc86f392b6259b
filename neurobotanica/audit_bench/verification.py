"""How fast a log is verified, and in how much memory, beside the least that any verification must do.

The least is one SHA-256 of every canonical text, streamed in order from the table by the same driver.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from ethics.audit.canonical import canonical_text
from ethics.audit.identities import identity_commitment
from ethics.audit.sealing import Sealer
from ethics.audit.verification import inspect_log
from ethics.models import AuditHead
from neurobotanica.audit_bench.scratch import scratch_log

_COLUMNS = {
    "event_id": "uuid", "event_type": "text", "occurred_at": "timestamptz", "actor": "text", "actor_role": "text",
    "client_id": "text", "request_id": "text", "purpose": "text", "policy_revision": "int8", "model_sha256": "text",
    "subject_ids": "varchar[]", "community_ids": "varchar[]", "reason_commitment": "text", "details": "jsonb",
    "canonical": "text",
}  # fmt: skip
_SAMPLE_SECONDS = 0.05
_MIB = 1 << 20

Tell = Callable[[str], object]


class LogNotRight(Exception):
    """The verification found something in a log that nobody touched."""


def measure_verification(*, events: int, runs: int, tell: Tell) -> dict[str, Any]:
    """Fill a scratch log, seal it, and measure bare hashing and verification in turn.

    Raises:
        LogNotRight: a verification found a problem.
    """
    with scratch_log():
        tell(f"writing {events} events")
        _write(events)
        tell("sealing them")
        sealing = _timed(_seal)
        bare, verified, processor, memory = [], [], [], _Memory()
        for number in range(runs):
            tell(f"hashing and verifying, run {number + 1} of {runs}")
            bare.append(_timed(_hash_bare))
            begun = _processor_seconds()
            with memory:
                verified.append(_timed(lambda: _verify(memory)))
            processor.append(_processor_seconds() - begun)
        return {
            "events": events,
            "heads": AuditHead.objects.count(),
            "runs": runs,
            "sealed_events_per_second": round(events / sealing),
            "bare_events_per_second": [round(events / seconds) for seconds in bare],
            "verified_events_per_second": [round(events / seconds) for seconds in verified],
            "best_bare_to_best_verified": round(min(verified) / min(bare), 2),
            "verified_processor_seconds": [round(seconds, 1) for seconds in processor],
            "load_average": round(os.getloadavg()[0], 1),
            "memory_mib_at_first_tenth": round(memory.early / _MIB, 1),
            "memory_mib_peak": round(memory.peak / _MIB, 1),
            "canonical_bytes": _canonical_bytes(),
        }


def _write(events: int) -> None:
    names = ", ".join(_COLUMNS)
    with connection.cursor() as cursor, transaction.atomic():
        actor = identity_commitment("verification bench")
        with cursor.copy(f"COPY ethics_auditevent ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(_COLUMNS.values()))
            for row in _rows(events, actor):
                copy.write_row(row)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE ethics_auditevent")


def _rows(events: int, actor: str) -> Iterator[list[object]]:
    from psycopg.types.json import Jsonb

    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(events):
        moment = start + timedelta(milliseconds=7 * number)
        event_id = uuid.uuid4()
        fields: dict[str, Any] = {
            "event_id": str(event_id),
            "event_type": "prediction.served",
            "occurred_at": moment.isoformat(timespec="microseconds"),
            "actor": actor,
            "actor_role": "api client",
            "client_id": f"client-{number % 50}",
            "request_id": f"{number:032x}",
            "purpose": "PREDICTION",
            "policy_revision": 1 + number // 1000,
            "model_sha256": sha256(b"%d" % (number // 100_000)).hexdigest(),
            "subject_ids": [f"practice-{number % 300}", f"practice-{number % 7}"],
            "community_ids": [f"community-{number % 40}"],
            "reason": "",
            "details": {"audience": "research", "cached": number % 3 > 0, "count": number % 9},
        }
        columns = {**fields, "event_id": event_id, "occurred_at": moment, "details": Jsonb(fields["details"])}
        columns |= {"reason_commitment": "", "canonical": canonical_text(fields)}
        yield [columns[name] for name in _COLUMNS]


def _seal() -> None:
    sealer = Sealer()
    try:
        sealer.lead()
        sealer.seal()
    finally:
        sealer.resign()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE ethics_auditleaf")


def _hash_bare() -> None:
    query = "COPY (SELECT canonical FROM ethics_auditevent ORDER BY id) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(query) as rows:
        rows.set_types(["bytea"])
        for (canonical,) in rows.rows():
            sha256(canonical).digest()


def _verify(memory: _Memory) -> None:
    report = inspect_log(progress=memory.progress)
    if not report.ok:
        raise LogNotRight(str(report.problems[0]))


def _processor_seconds() -> float:
    """Spent so far by this process and, where it runs on this machine, by the server's process for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    server = 0.0
    if stat.is_file() and "postgres" in (text := stat.read_text(encoding="ascii")):
        server = sum(map(int, text.rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + server


def _canonical_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT round(avg(octet_length(canonical))) FROM ethics_auditevent")
        return int(cursor.fetchone()[0])


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@dataclass
class _Memory:
    """Resident memory of this process in bytes, sampled while the block runs: its peak, and that of the first tenth."""

    peak: int = 0
    early: int = 0
    _share: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> None:
        self._share = 0.0
        self._stop.clear()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def progress(self, done: int, total: int) -> None:
        """Told by the verification."""
        self._share = done / total

    def _sample(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stop.wait(_SAMPLE_SECONDS):
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page
            self.peak = max(self.peak, resident)
            if self._share <= 0.1:
                self.early = max(self.early, resident)
