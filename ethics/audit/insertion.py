"""The one insert of an event: a single statement that writes it and proves what it says of the database.

An event names the policy revision and its actor's commitment. Both are remembered in the process; the statement inserts only
if they still hold, so that nothing outdated is ever written and nothing is asked for twice. Where they do not hold any
more, they are read anew.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS
from django.utils.functional import SimpleLazyObject

from ethics.audit.canonical import canonical_text
from ethics.audit.identities import identity_commitment
from ethics.models import AuditEvent, PolicyRevision
from ethics.prepared import prepared_row

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
_PLACES = {name: f"${place}::{kind}" for place, (name, kind) in enumerate(_COLUMNS.items(), start=1)}
_NAME = f"${len(_COLUMNS) + 1}::text"
_INSERT = f"""
INSERT INTO ethics_auditevent ({", ".join(_COLUMNS)})
SELECT {", ".join(_PLACES.values())}
FROM ethics_auditidentity identity
WHERE identity.commitment = {_PLACES["actor"]} AND identity.name = {_NAME}
"""  # noqa: S608  names of this module alone
_IF_PRESENT = f"""AND EXISTS (
    SELECT FROM ethics_policyrevision revision
    WHERE revision.id = {PolicyRevision.SINGLETON_ID} AND revision.value = {_PLACES["policy_revision"]}
)
"""
_WRITTEN = "RETURNING id, xid"
_INSERT_UNDER_PRESENT, _INSERT_UNDER_GIVEN = _INSERT + _IF_PRESENT + _WRITTEN, _INSERT + _WRITTEN


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
    statement = _INSERT_UNDER_PRESENT if policy_revision is None else _INSERT_UNDER_GIVEN
    for _ in range(_TRIALS):
        revision = policy_revision if policy_revision is not None else _revision()
        whole = {**fields, "actor": _commitment(actor_name), "policy_revision": revision}
        canonical = canonical_text(whole)
        columns = {**whole, "reason_commitment": whole["reason"], "canonical": canonical}
        stored = {**columns, "details": orjson.dumps(fields["details"]).decode()}
        row = prepared_row(statement, [*(stored[name] for name in _COLUMNS), actor_name])
        if row is not None:
            # Most callers want no more than that it is written.
            return cast("AuditEvent", SimpleLazyObject(partial(_event, row[0], row[1], columns)))
        _revisions.clear()
        _commitments.pop(actor_name, None)
    raise PolicyInMotion


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
    event._state.adding, event._state.db = False, DEFAULT_DB_ALIAS
    return event
