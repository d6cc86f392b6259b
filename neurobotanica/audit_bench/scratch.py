"""A migrated database and an audit folder for a measurement; both are removed at its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections


@contextmanager
def scratch_log() -> Iterator[None]:
    """Let Django work on an empty log: in a new database on the same server, with keys and heads in a new folder.

    The database's owner has to run it: others may not make databases.
    """
    usual_name, usual_folder = connection.settings_dict["NAME"], settings.AUDIT_FOLDER
    name = f"{usual_name}_bench_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        # A session that is open already would go on in the database in use.
        connection.close()
        connection.settings_dict["NAME"] = name
        with tempfile.TemporaryDirectory(prefix="audit-bench-") as folder:
            settings.AUDIT_FOLDER = Path(folder)
            call_command("migrate", verbosity=0)
            yield
    finally:
        settings.AUDIT_FOLDER = usual_folder
        connections.close_all()
        connection.settings_dict["NAME"] = usual_name
        _drop(name)


def _drop(name: str) -> None:
    """Drop it under the sessions of a writer that was killed; ``WITH (FORCE)`` fails on an autovacuum worker."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
            [name],
        )
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
