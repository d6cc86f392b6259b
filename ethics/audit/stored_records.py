"""Streams the sealed records out of the database for verification: leaf, canonical bytes, and what the columns say.

The database writes the canonical text of the columns itself and streams it with COPY, so that reading and checking run
side by side and memory stays constant. Only ``details`` is left to Python, because jsonb keeps its own order of keys.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import cast

import orjson
from django.db import connection

_TEXT = "to_json(event.{column}::text)::text"
_TEXTS = "array_to_json(event.{column})::text"
_NUMBER = "event.{column}::text"
_INSTANT = """to_char(event.{column} AT TIME ZONE 'UTC', '\\"YYYY-MM-DD"T"HH24:MI:SS.US+00:00\\"')"""
_BEFORE_DETAILS = {
    "actor": ("actor", _TEXT),
    "actor_role": ("actor_role", _TEXT),
    "client_id": ("client_id", _TEXT),
    "community_ids": ("community_ids", _TEXTS),
}
_AFTER_DETAILS = {
    "event_id": ("event_id", _TEXT),
    "event_type": ("event_type", _TEXT),
    "model_sha256": ("model_sha256", _TEXT),
    "occurred_at": ("occurred_at", _INSTANT),
    "policy_revision": ("policy_revision", _NUMBER),
    "purpose": ("purpose", _TEXT),
    "reason": ("reason_commitment", _TEXT),
    "request_id": ("request_id", _TEXT),
    "subject_ids": ("subject_ids", _TEXTS),
}


StoredRecord = tuple[int, bytes, bytes, bytes | None, bytes, bytes, bytes]
"""Leaf index, event id and leaf hash; canonical bytes, and the columns' text before, in and after the details. Where the
table has no event of this leaf, the last four are None; the canonical bytes tell."""


def stored_records(start: int, end: int) -> Iterator[StoredRecord]:
    """The records of the leaves from ``start`` up to ``end`` (exclusive) in order.

    No other query can run on the connection until the iterator is used up or closed.
    """
    with connection.cursor() as cursor:
        # The order of the index, an event at a time: a sort or a hash of all events would be written to disk first.
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        with cursor.cursor.copy(_QUERY, (start, end)) as rows:
            rows.set_types(["int8", *["bytea"] * 6])
            yield from cast("Iterator[StoredRecord]", rows.rows())


def columns_text(before: bytes, details: bytes, after: bytes) -> bytes:
    """The canonical text that the columns make."""
    return before + orjson.dumps(orjson.loads(details), option=orjson.OPT_SORT_KEYS) + after


def differing_fields(canonical: bytes, columns: bytes) -> list[str]:
    """Names of the fields in which the canonical text and the columns differ; ``canonical`` where it isn't readable."""
    try:
        said, kept = json.loads(canonical), json.loads(columns)
    except ValueError:
        return ["canonical"]
    if not isinstance(said, dict):
        return ["canonical"]
    names = sorted({*said, *kept})
    missing = object()
    return [name for name in names if _differ(said.get(name, missing), kept.get(name, missing))] or ["canonical"]


def shown_id(event_id: bytes) -> str:
    """The event id as people write it."""
    return str(uuid.UUID(bytes=event_id))


def _differ(said: object, kept: object) -> bool:
    return type(said) is not type(kept) or said != kept


def _written(fields: dict[str, tuple[str, str]]) -> str:
    return " || ',' || ".join(
        f"""'"{name}":' || {sql.format(column=column)}""" for name, (column, sql) in fields.items()
    )


# The names are constants of this module; only the two numbers come from a caller.
_QUERY = f"""
COPY (
    SELECT leaf.index, leaf.event_id, leaf.leaf_hash, event.canonical,
        '{{' || {_written(_BEFORE_DETAILS)} || ',"details":', event.details::text,
        ',' || {_written(_AFTER_DETAILS)} || '}}'
    FROM ethics_auditleaf leaf LEFT JOIN ethics_auditevent event ON event.event_id = leaf.event_id
    WHERE leaf.index >= %s AND leaf.index < %s ORDER BY leaf.index
) TO STDOUT (FORMAT BINARY)
"""  # noqa: S608
