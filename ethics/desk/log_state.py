"""The state of the log in words, for the first page of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from ethics.audit.daily_counts import UNSEALED
from ethics.desk.event_proof import Figure
from ethics.models import AuditHead

SEALED_WITHIN = timedelta(seconds=5)
VERIFIED_WITHIN = timedelta(days=1)

_REST = f"""
SELECT check_.finished_at, check_.ok, check_.tree_size, rest.unsealed, rest.oldest
FROM (SELECT count(*) AS unsealed, min(occurred_at) AS oldest FROM ethics_auditevent event WHERE {UNSEALED}) rest
LEFT JOIN (SELECT * FROM ethics_auditverification ORDER BY finished_at DESC, id DESC LIMIT 1) check_ ON true
"""  # noqa: S608  the values are parameters


@dataclass(frozen=True)
class ShownState:
    """What the page says. ``tone`` is 'good', 'warn' or 'bad'."""

    tone: str
    verdict: str
    figures: Sequence[Figure]


def newest_head() -> AuditHead | None:
    """The newest signed head, with its key."""
    return AuditHead.objects.select_related("key").first()


def desk_log_state(head: AuditHead | None, now: datetime) -> ShownState:
    """The state as it is now, as ``ethics.audit.state`` gives it, in one query beside that for the head."""
    with connection.cursor() as cursor:
        cursor.execute(_REST, {"sealed_below": head.sealed_below if head else 0})
        verified_at, verified_ok, verified_size, unsealed, oldest = cursor.fetchone()
    lag = max(now - oldest, timedelta()) if oldest is not None else timedelta()
    tone, verdict = _verdict(head, verified_at, verified_ok, lag, now)
    figures = [
        Figure("Last verified", _moment(verified_at), note=_verification(verified_ok, verified_size)),
        Figure("Last sealed", _moment(head.signed_at if head else None)),
        Figure("Lag", _seconds(lag), note=f"{unsealed:,} event{'' if unsealed == 1 else 's'} not sealed yet"),
        Figure("Tree size", f"{head.tree_size:,} events" if head else "0 events"),
        Figure("Signing key", head.key_id if head else "none yet", machine=head is not None),
    ]
    return ShownState(tone, verdict, figures)


def _verdict(
    head: AuditHead | None, verified_at: datetime | None, verified_ok: bool | None, lag: timedelta, now: datetime
) -> tuple[str, str]:
    if verified_ok is False:
        return "bad", "the last verification failed"
    if lag > SEALED_WITHIN:
        return "bad", "sealing is late: does the sealer run?"
    if head is None:
        return "warn", "nothing is sealed yet"
    if verified_at is None:
        return "warn", "never verified"
    if now - verified_at > VERIFIED_WITHIN:
        return "warn", "not verified for more than a day"
    return "good", "sealed and verified"


def _verification(ok: bool | None, size: int | None) -> str:
    if ok is None:
        return ""
    return f"{size:,} events, all well" if ok else f"failed at {size:,} events"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment is not None else "never"


def _seconds(lag: timedelta) -> str:
    seconds = lag.total_seconds()
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"
