"""Statements that the server plans once a connection."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from django.db import DatabaseError, DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

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


_ECHO = "SELECT $1::text, $2::varchar[], $3::boolean, $4::bigint"
_VALUES = [
    ["", [], True, 0],
    ['a "quoted" \\ and, {braced} NULL', ['"', "\\", "", "null", "{a,b}", " two words ", "ɬ\u202e\n"], False, -(2**62)],
]


@pytest.mark.parametrize("values", _VALUES)
def test_values_come_back_as_they_went(committed_database, django_db_blocker, values: list[object]) -> None:
    with django_db_blocker.unblock():
        assert prepared_row(_ECHO, values) == tuple(values)
        with transaction.atomic():
            assert prepared_row(_ECHO, values) == tuple(values)


def test_a_text_with_nul_is_refused_and_not_cut_off(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        for values in (["a\0b", [], True, 1], ["a", ["b\0"], True, 1]):
            with pytest.raises(DataError, match="NUL"):
                prepared_row(_ECHO, values)


def test_a_value_of_another_kind_is_an_error(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock(), pytest.raises(TypeError, match="float"):
        prepared_row(_ECHO, ["a", [], True, 1.5])


def test_statements_that_the_session_lost_are_prepared_anew(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock():
        before = current_revisions()
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        assert current_revisions() == before


def test_a_table_that_was_changed_under_a_statement_is_read_anew(committed_database, django_db_blocker) -> None:
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changing (value bigint)")
        cursor.execute("INSERT INTO changing VALUES (1)")
        assert prepared_row("SELECT * FROM changing") == (1,)
        cursor.execute("ALTER TABLE changing ALTER value TYPE text")
        assert prepared_row("SELECT * FROM changing") == ("1",)
        cursor.execute("DROP TABLE changing")


def test_what_is_counted_and_logged_is_seen(committed_database, django_db_blocker) -> None:
    seen: list[str] = []

    def see(execute: Any, sql: str, *arguments: Any) -> Any:
        seen.append(sql)
        return execute(sql, *arguments)

    with django_db_blocker.unblock():
        with connection.execute_wrapper(see):
            prepared_row(_SESSION, [True])
        with CaptureQueriesContext(connection) as captured:
            prepared_row(_SESSION, [True])
    assert seen == [_SESSION]
    assert [query["sql"] for query in captured.captured_queries] == [_SESSION]
