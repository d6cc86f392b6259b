"""Checks over the whole tables that need no order: sealed twice, never sealed, names and reasons under commitments."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from ethics.audit.findings import Findings
from ethics.audit.identities import commitment_of
from ethics.models import AuditIdentity, AuditReason

_SEALED_TWICE = """
SELECT later.index, later.event_id FROM ethics_auditleaf later JOIN ethics_auditleaf earlier
    ON earlier.event_id = later.event_id AND earlier.index < later.index
WHERE later.index >= %s ORDER BY later.index LIMIT 1
"""
_UNSEALED = """
SELECT count(*), (array_agg(event.event_id ORDER BY event.id))[1], min(event.occurred_at) FROM ethics_auditevent event
WHERE event.occurred_at < %s
    AND NOT EXISTS (SELECT 1 FROM ethics_auditleaf leaf WHERE leaf.event_id = event.event_id)
"""
_IDENTITIES = """
SELECT commitment FROM ethics_auditidentity
WHERE salt IS NOT NULL AND encode(sha256(salt || convert_to(name, 'UTF8')), 'hex') <> commitment LIMIT 1
"""
_ACTORS = """
SELECT leaf.index, event.event_id FROM ethics_auditevent event
    LEFT JOIN ethics_auditleaf leaf ON leaf.event_id = event.event_id
WHERE event.actor IN (
    SELECT DISTINCT actor FROM ethics_auditevent EXCEPT SELECT commitment FROM ethics_auditidentity
) ORDER BY leaf.index LIMIT 1
"""
_REASONS = """
SELECT leaf.index, event.event_id, reason.event_id IS NULL FROM ethics_auditevent event
    LEFT JOIN ethics_auditreason reason ON reason.event_id = event.event_id
    LEFT JOIN ethics_auditleaf leaf ON leaf.event_id = event.event_id
WHERE event.reason_commitment <> '' AND (reason.event_id IS NULL OR (reason.salt IS NOT NULL
    AND encode(sha256(reason.salt || convert_to(reason.text, 'UTF8')), 'hex') <> event.reason_commitment))
ORDER BY leaf.index LIMIT 1
"""


def check_sealed_once(findings: Findings, *, from_index: int) -> None:
    """No event stands under two leaves."""
    for index, event_id in _rows(_SEALED_TWICE, [from_index]):
        findings.add("the event was sealed twice", index=index, event_id=str(event_id))


def check_all_sealed(findings: Findings, *, allowed_lag: timedelta) -> None:
    """No committed event older than the allowed lag is without a leaf."""
    for count, event_id, oldest in _rows(_UNSEALED, [timezone.now() - allowed_lag]):
        if count:
            findings.add(f"{count} events since {oldest:%Y-%m-%d %H:%M:%S} are not sealed", event_id=str(event_id))


def check_commitments(findings: Findings) -> None:
    """Every name and reason that wasn't shredded gives its commitment, and none went without being shredded."""
    for (commitment,) in _rows(_IDENTITIES, []):
        findings.add(f"the name kept for actor {commitment} doesn't give this commitment")
    for index, event_id in _rows(_ACTORS, []):
        findings.add("the actor's row is missing", index=index, event_id=str(event_id))
    for index, event_id, missing in _rows(_REASONS, []):
        what = "is missing" if missing else "doesn't give the commitment in the event"
        findings.add(f"the reason kept {what}", index=index, event_id=str(event_id))


def check_archived_actors(findings: Findings, actors: set[str]) -> None:
    """Every actor of an archived event still has its row, whether its name was shredded or not."""
    known = AuditIdentity.objects.filter(commitment__in=actors).values_list("commitment", flat=True)
    for commitment in sorted(actors - set(known)):
        findings.add(f"the row of actor {commitment}, named in archived events, is missing")


def check_archived_reasons(findings: Findings, given: Mapping[str, tuple[int, str]]) -> None:
    """The reasons of archived events: (index, commitment) by event id."""
    kept = {
        str(reason.event_id): reason for reason in AuditReason.objects.filter(event_id__in=list(map(uuid.UUID, given)))
    }
    for event_id, (index, commitment) in given.items():
        reason = kept.get(event_id)
        if reason is None:
            findings.add("the reason kept is missing", index=index, event_id=event_id)
        elif reason.salt is not None and commitment_of(bytes(reason.salt), reason.text) != commitment:
            findings.add("the reason kept doesn't give the commitment in the event", index=index, event_id=event_id)


def _rows(query: str, parameters: Sequence[int | datetime]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
