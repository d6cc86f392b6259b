"""The one insert of an event: a single statement that writes it and proves what it says of the database.

An event names the policy revision and its actor's commitment. Both are remembered in the process; the statement inserts only
if they still hold, so that nothing outdated is ever written and nothing is asked for twice. Where they do not hold any
more, they are read anew.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

from ethics.audit.canonical import canonical_text
from ethics.audit.identities import identity_commitment
from ethics.models import AuditEvent, PolicyRevision

_MOST_NAMES = 10_000
_TRIALS = 5
_revisions: list[int] = []
_commitments: dict[str, str] = {}

_COLUMNS = {
    "event_id": "uuid",
    "event_type": "text",
    "occurred_at": "timestamptz",
    "actor": "text",
    "actor_role": "text",
    "client_id": "text",
    "request_id": "text",
    "purpose": "text",
    "policy_revision": "bigint",
    "model_sha256": "text",
    "subject_ids": "varchar[]",
    "community_ids": "varchar[]",
    "reason_commitment": "text",
    "details": "jsonb",
    "canonical": "text",
}
_INSERT = f"""
INSERT INTO ethics_auditevent ({", ".join(_COLUMNS)})
SELECT {", ".join(f"%({name})s::{kind}" for name, kind in _COLUMNS.items())}
FROM ethics_policyrevision revision, ethics_auditidentity identity
WHERE revision.id = {PolicyRevision.SINGLETON_ID} AND (%(given)s OR revision.value = %(policy_revision)s)
AND identity.commitment = %(actor)s AND identity.name = %(actor_name)s
RETURNING id, xid
"""  # noqa: S608  names of this module alone


class PolicyInMotion(Exception):
    """The policy was changed again and again while an event was written; the caller's transaction has to be repeated."""


def insert_event(fields: dict[str, Any], *, actor_name: str, policy_revision: int | None) -> AuditEvent:
    """Write an event whose ``fields`` lack only ``actor`` and ``policy_revision``.

    Args:
        fields: by the keys of the canonical text.
        policy_revision: the one under which it happened; the present one where it is None.

    Raises:
        PolicyInMotion: the present revision changed between reading and writing, five times over.
    """
    for _ in range(_TRIALS):
        revision = policy_revision if policy_revision is not None else _revision()
        whole = {**fields, "actor": _commitment(actor_name), "policy_revision": revision}
        canonical = canonical_text(whole)
        columns = {**whole, "reason_commitment": whole["reason"], "canonical": canonical}
        with _preparing_cursor() as cursor:
            cursor.execute(
                _INSERT,
                {
                    **columns,
                    "details": json.dumps(fields["details"]),
                    "given": policy_revision is not None,
                    "actor_name": actor_name,
                },
            )
            row = cursor.fetchone()
        if row is not None:
            return _event(row[0], row[1], columns)
        _revisions.clear()
        _commitments.pop(actor_name, None)
    raise PolicyInMotion


class _PreparingCursor(psycopg.Cursor[Any]):
    """pghistory puts a second command before every statement, which can't be prepared; it leaves named cursors alone, and
    events have no field history."""

    name = "audit event"


def _preparing_cursor() -> CursorWrapper:
    """A cursor whose statement the server parses and plans once a connection: 45 µs of its time an event, not 160.

    Django's own cursors put values into the text. Wrapped as Django wraps them, it belongs to transactions, errors and
    query counts as they do.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    cursor = _PreparingCursor(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return wrap(cast("CursorWrapper", cursor))


def _revision() -> int:
    if not _revisions:
        _revisions.append(PolicyRevision.current())
    return _revisions[-1]


def _commitment(name: str) -> str:
    found = _commitments.get(name)
    if found is None:
        if len(_commitments) >= _MOST_NAMES:
            _commitments.clear()
        found = _commitments[name] = identity_commitment(name)
    return found


def _event(pk: int, xid: int, columns: dict[str, Any]) -> AuditEvent:
    named = {name: value for name, value in columns.items() if name not in {"actor", "reason"}}
    event = AuditEvent(
        id=pk,
        xid=xid,
        actor_id=columns["actor"],
        **{
            **named,
            "event_id": UUID(columns["event_id"]),
            "occurred_at": datetime.fromisoformat(columns["occurred_at"]),
        },
    )
    event._state.adding, event._state.db = False, connection.alias
    return event
