"""What a killed test run leaves behind in the database server."""

from __future__ import annotations

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

from tests.database_roles import APPLICATION, url_of


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

    The owner may end its own connections; those of the application end by the application's role.
    """
    with psycopg.connect(url_of(APPLICATION, "postgres")) as application:
        application.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
            [name],
        )
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
