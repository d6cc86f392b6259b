"""What a killed test run leaves behind in the database server."""

from __future__ import annotations

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

from tests.database_roles import APPLICATION, url_of

END_OWN_CONNECTIONS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = current_user
"""


def drop_leftovers(name: str) -> None:
    """Drop the test database and its clones, also where a process that outlived its run is still connected."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)", [name, f"{name}_"]
        )
        for (leftover,) in cursor.fetchall():
            drop_database(cursor, leftover)


def drop_database(cursor: CursorWrapper, name: str) -> None:
    """Drop a database as its owner, under whatever is still connected to it.

    Each role may end its own connections alone. ``WITH (FORCE)`` would do it for the owner's, but it wants the right to
    end an autovacuum worker too, which belongs to no role; without it the server ends that worker itself.
    """
    with psycopg.connect(url_of(APPLICATION, "postgres")) as application:
        application.execute(END_OWN_CONNECTIONS, [name])
    cursor.execute(END_OWN_CONNECTIONS, [name])
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
