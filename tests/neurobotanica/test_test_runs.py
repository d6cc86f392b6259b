"""A test run that was killed, or that goes on beside another one, does not spoil the next."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import psycopg
import pytest
from django.db import connection

from tests.database_roles import APPLICATION, OWNER, as_owner, url_of
from tests.leftovers import drop_leftovers
from tests.service_home import PROJECT_ROOT


def test_a_second_run_in_the_same_home_is_refused_with_the_process_to_wait_for() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", __file__],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == pytest.ExitCode.USAGE_ERROR
    holder = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    assert f"another test run (process {holder}) uses" in finished.stderr


def test_databases_of_a_killed_run_are_dropped_under_the_processes_that_outlived_it(
    django_db_setup, django_db_blocker
) -> None:
    name = f"test_leftover_{uuid.uuid4().hex[:8]}"
    with django_db_blocker.unblock(), as_owner(), connection._nodb_cursor() as cursor:
        for database in (name, f"{name}_clone", f"{name}s_other"):
            cursor.execute(f'CREATE DATABASE "{database}"')
        survivors = [
            psycopg.connect(url_of(role, database))
            for database in (name, f"{name}_clone")
            for role in (OWNER, APPLICATION)
        ]
        drop_leftovers(name)
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        left = cursor.fetchall()
        cursor.execute(f'DROP DATABASE "{name}s_other"')

    assert left == [(f"{name}s_other",)]
    for survivor in survivors:
        with pytest.raises(psycopg.OperationalError):
            survivor.execute("SELECT 1")
