"""An evidence pack and the sealer: what waits is sealed first, or counted where another process is the sealer."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ethics import audit
from ethics.audit import AuditContext, sealing, verify
from ethics.audit.filters import AuditFilters
from ethics.audit.pack import EvidencePack, evidence_pack_write
from ethics.audit.sealing import seal_round

OFFICER = AuditContext("an officer", "compliance officer", request_id="request-of-officer")
ANN = AuditContext("Ann Curator", "curator", request_id="request-1")


def content(pack: EvidencePack, name: str) -> bytes:
    with zipfile.ZipFile(pack.path) as archive:
        return archive.read(name)


def test_what_waits_is_sealed_first(committed_database, django_db_blocker, tmp_path: Path) -> None:
    with django_db_blocker.unblock():
        waiting = audit.record("consent.withdrawn", subjects=["a"], communities=["one"], reason="asked", context=ANN)
        pack = evidence_pack_write(
            filters=AuditFilters(subject="a"), destination=tmp_path / "pack.zip", requested_by=OFFICER
        )
    assert content(pack, "events.jsonl") == waiting.canonical.encode() + b"\n"
    assert verify.main([str(pack.path), "--key", pack.fingerprint]) == 0


def test_what_another_sealer_has_not_sealed_is_counted(committed_database, django_db_blocker, tmp_path: Path) -> None:
    with django_db_blocker.unblock():
        audit.record("consent.withdrawn", subjects=["a"], communities=["one"], reason="asked", context=ANN)
        seal_round()
        audit.record("consent.withdrawn", subjects=["a"], communities=["one"], reason="asked", context=ANN)
        with another_sealer(committed_database.url):
            pack = evidence_pack_write(
                filters=AuditFilters(subject="a"), destination=tmp_path / "pack.zip", requested_by=OFFICER
            )
    assert (pack.events, pack.not_sealed) == (1, 1)
    assert "1 event that passes the filters and was not sealed yet" in content(pack, "summary.html").decode()
    assert verify.main([str(pack.path), "--key", pack.fingerprint]) == 0


@contextmanager
def another_sealer(url: str) -> Iterator[None]:
    """Somebody else leads: a session of its own holds the sealer's lock."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(%s)", [sealing._LEADER_LOCK])
        yield
