"""Statements that the server parses and plans once a connection, for what every request asks or writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.utils import CursorWrapper
from pghistory import runtime
from psycopg import errors, generators, pq
from psycopg.adapt import Transformer

# The server knows no such statement, or has other columns for it: the session's statements were dropped, or the schema
# was changed under it.
_FORGOTTEN = {b"26000", b"0A000"}


class _Cursor(psycopg.RawCursor[Any]):
    """Leaves values to the server, which Django's own cursors put into the text.

    pghistory puts a second command before every statement, which can't be prepared; it leaves named cursors alone. So what
    is asked here belongs to no field history.
    """

    name = "prepared statement"


class _Session:
    """A session of the database and what it has prepared."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.cursor = _Cursor(connection)
        self._names: dict[str, bytes] = {}
        self._count = 0

    @property
    def is_between_transactions(self) -> bool:
        return self.connection.autocommit and self.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def first_row(self, statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """The first row by libpq itself, at about four fifths of what a cursor costs.

        Only between transactions, where a statement that the session has lost can be prepared and sent again.

        Raises:
            psycopg.Error: the statement failed, or the session is dead.
        """
        parameters = [_parameter(value) for value in values]
        result = self._result(statement, parameters)
        if result.error_field(pq.DiagnosticField.SQLSTATE) in _FORGOTTEN:
            self._names.clear()
            result = self._result(statement, parameters)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise errors.error_from_result(result)
        if not result.ntuples:
            return None
        loaders = Transformer.from_context(self.connection)
        loaders.set_pgresult(result)
        return loaders.load_row(0, tuple)

    def _result(self, statement: str, parameters: list[bytes]) -> pq.abc.PGresult:
        name = self._names.get(statement) or self._prepare(statement)
        self.connection.pgconn.send_query_prepared(name, parameters)
        return self._answer()

    def _answer(self) -> pq.abc.PGresult:
        """What the server says to what was sent; waited for as the session waits for it, with its limits."""
        results: list[pq.abc.PGresult] = self.connection.wait(generators.execute(self.connection.pgconn))
        return results[-1]

    def _prepare(self, statement: str) -> bytes:
        self._count += 1
        name = b"neurobotanica_%d" % self._count
        self.connection.pgconn.send_prepare(name, statement.encode())
        result = self._answer()
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result)
        self._names[statement] = name
        return name


def prepared_row(statement: str, values: Sequence[Any] = (), *, repeatable: bool = False) -> tuple[Any, ...] | None:
    """The first row of a statement with the placeholders ``$1``, ``$2``, …, or None where it has none.

    It belongs to transactions, errors and query counts as what Django's own cursors send. Values are texts, integers,
    booleans and lists of texts; the statement says of what type each placeholder is.

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
    session: _Session | None = getattr(database, "prepared_session", None)
    if session is None or session.connection is not database.connection:
        session = database.prepared_session = _Session(database.connection)
    if session.is_between_transactions and not _is_watched(database):
        with database.wrap_database_errors:
            return session.first_row(statement, values)
    wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
    wrapped = wrap(cast("CursorWrapper", session.cursor))
    wrapped.execute(statement, values)
    row: tuple[Any, ...] | None = wrapped.fetchone()
    return row


def _is_watched(database: Any) -> bool:
    """Whether anyone counts, logs or forbids the statements of this thread; pghistory leaves this one alone."""
    if database.queries_logged:
        return True
    return any(wrapper is not runtime._inject_history_context for wrapper in database.execute_wrappers)


def _parameter(value: object) -> bytes:
    """A value in the text format of the protocol.

    Raises:
        psycopg.DataError: a text holds NUL, at which libpq would cut it off.
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "t" if value else "f"
    elif isinstance(value, list):
        text = "{" + ",".join([_quoted(entry) for entry in value]) + "}"
    elif isinstance(value, int):
        text = str(value)
    else:
        raise TypeError(f"no parameter of a prepared statement: {type(value).__name__}")
    if "\0" in text:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return text.encode()


def _quoted(entry: str) -> str:
    """An element of an array's literal."""
    return '"' + entry.replace("\\", "\\\\").replace('"', '\\"') + '"'
