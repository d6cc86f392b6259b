"""A test run that was killed, or that goes on beside another one, does not spoil the next."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection

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
    assert f"another test run (process {os.getpid()}) uses" in finished.stderr


@pytest.mark.django_db
def test_databases_of_a_killed_run_are_dropped_under_the_processes_that_outlived_it() -> None:
    name = f"test_leftover_{uuid.uuid4().hex[:8]}"
    address = urlsplit(os.environ["DATABASE_URL"])
    with connection._nodb_cursor() as cursor:
        for database in (name, f"{name}_clone", f"{name}s_other"):
            cursor.execute(f'CREATE DATABASE "{database}"')
        survivors = [
            psycopg.connect(urlunsplit(address._replace(path=f"/{database}"))) for database in (name, f"{name}_clone")
        ]
        drop_leftovers(name)
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        left = cursor.fetchall()
        cursor.execute(f'DROP DATABASE "{name}s_other"')

    assert left == [(f"{name}s_other",)]
    for survivor in survivors:
        with pytest.raises(psycopg.OperationalError):
            survivor.execute("SELECT 1")
