"""What a killed test run leaves behind in the database server."""

from __future__ import annotations

from django.db import connection


def drop_leftovers(name: str) -> None:
    """Drop the test database and its clones, also where a process that outlived its run is still connected."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)", [name, f"{name}_"]
        )
        for (leftover,) in cursor.fetchall():
            cursor.execute(f'DROP DATABASE IF EXISTS "{leftover}" WITH (FORCE)')
