"""Statements that the server plans once a connection."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from ethics.prepared import prepared_row
from ethics.revisions import current_revisions

_SESSION = "SELECT pg_backend_pid() WHERE $1::boolean"


def _end_session() -> int:
    """Kill the session of this thread as a restart of the server would, and begin the next request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = int(cursor.fetchone()[0])
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)
    other.close()
    _begin_request()
    return pid


def _begin_request() -> None:
    """As Django does for a session that was kept from the request before."""
    session: Any = connection
    session.health_check_enabled, session.health_check_done = True, False


def test_a_read_goes_on_with_a_new_session_where_the_kept_one_is_dead(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        before = current_revisions()
        pid = _end_session()
        assert current_revisions() == before
        assert prepared_row(_SESSION, [True]) != (pid,)


def test_a_read_that_is_wrong_is_no_dead_session(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        current_revisions()
        _begin_request()
        with pytest.raises(DatabaseError, match="no_such_table"):
            prepared_row("SELECT FROM no_such_table", repeatable=True)


def test_a_session_that_ended_is_not_kept(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        current_revisions()
        ended = weakref.ref(connection.connection)
        connection.close()
        current_revisions()
        gc.collect()
        assert ended() is None


@pytest.mark.django_db
def test_nothing_is_a_row_of_none() -> None:
    assert prepared_row(_SESSION, [False]) is None


@pytest.mark.django_db
def test_a_transaction_that_failed_takes_no_further_statement() -> None:
    with pytest.raises(DatabaseError, match="no_such_table"), transaction.atomic():
        prepared_row("SELECT FROM no_such_table")
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            prepared_row(_SESSION, [True])
