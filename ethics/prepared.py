"""Statements that the server parses and plans once a connection, for what every request asks or writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.utils import CursorWrapper


class _Cursor(psycopg.RawCursor[Any]):
    """Leaves values to the server, which Django's own cursors put into the text.

    pghistory puts a second command before every statement, which can't be prepared; it leaves named cursors alone. So what
    is asked here belongs to no field history.
    """

    name = "prepared statement"


def prepared_row(statement: str, values: Sequence[Any] = (), *, repeatable: bool = False) -> tuple[Any, ...] | None:
    """The first row of a statement with the placeholders ``$1``, ``$2``, …, or None where it has none.

    Wrapped as Django wraps its own cursors, it belongs to transactions, errors and query counts as they do.

    Args:
        repeatable: it only reads. Then the first statement of a request is itself the check of a session that was kept from
            the request before, and is repeated on a new one where that session is dead.

    Raises:
        django.db.Error: the statement failed.
    """
    database: Any = connections[DEFAULT_DB_ALIAS]
    if repeatable and _is_unchecked(database):
        database.health_check_done = True
        try:
            return _row(database, statement, values)
        except (OperationalError, InterfaceError):
            if database.is_usable():
                raise
            database.close()
    database.close_if_health_check_failed()
    database.ensure_connection()
    return _row(database, statement, values)


def _is_unchecked(database: Any) -> bool:
    """Whether Django would ask the session for a sign of life before the next statement."""
    if database.connection is None or database.in_atomic_block:
        return False
    return bool(database.health_check_enabled) and not database.health_check_done


def _row(database: Any, statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    # Kept with Django's own object, which the next session takes over: a table of sessions would keep each that ever was.
    cursor = getattr(database, "prepared_cursor", None)
    if cursor is None or cursor.connection is not database.connection:
        cursor = database.prepared_cursor = _Cursor(database.connection)
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    wrapped = wrap(cast("CursorWrapper", cursor))
    wrapped.execute(statement, values)
    row: tuple[Any, ...] | None = wrapped.fetchone()
    return row
