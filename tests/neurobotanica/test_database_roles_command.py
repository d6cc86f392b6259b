"""`manage.py database_roles`: how a server of one's own gets the application's role."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from neurobotanica.embedded.home import find_home
from neurobotanica.embedded.postgres import PostgresServer
from tests.database_roles import needs_two_roles
from tests.service_home import HOME, PROJECT_ROOT

pytestmark = needs_two_roles
ROLE = "roles_command_test"


@pytest.fixture
def superuser(committed_database) -> Iterator[str]:
    """The clone's address for somebody who may make roles."""
    opened = find_home(HOME)
    assert opened is not None
    server = PostgresServer(opened)
    state = server.running()
    assert state is not None
    address = urlunsplit(urlsplit(server.superuser_url(state.port))._replace(path=f"/{committed_database.name}"))
    yield address
    with psycopg.connect(address) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(ROLE)))


def address_of(superuser: str, password: str) -> str:
    parts = urlsplit(superuser)
    host = f"@127.0.0.1:{parts.port}" if parts.hostname else "@"
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{password}{host}"))


def run_command(owner: str, application: str, command: str = "database_roles") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": application, "DATABASE_OWNER_URL": owner}
    return subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_makes_the_role_with_its_rights_and_later_changes_its_password(superuser) -> None:
    made = run_command(superuser, address_of(superuser, "first"))
    with psycopg.connect(address_of(superuser, "first")) as connection:
        assert connection.execute("SELECT count(*) FROM ethics_community").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ethics_auditevent")
    changed = run_command(superuser, address_of(superuser, "second"))

    assert (made.returncode, made.stdout) == (0, f"role {ROLE}: made, rights granted\n"), made.stderr
    assert (changed.returncode, changed.stdout) == (0, f"role {ROLE}: updated, rights granted\n")
    with psycopg.connect(address_of(superuser, "second")) as connection:
        assert connection.execute("SELECT session_user").fetchone() == (ROLE,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(address_of(superuser, "first"))


def test_migrate_says_what_to_do_when_the_role_is_missing(superuser) -> None:
    finished = run_command(superuser, address_of(superuser, "first"), "migrate")

    assert finished.returncode != 0
    assert f"no role '{ROLE}'" in finished.stderr and "manage.py database_roles" in finished.stderr


def test_an_owner_who_may_make_no_roles_is_told_so(superuser, committed_database) -> None:
    finished = run_command(committed_database.owner_url, address_of(superuser, "first"))

    assert finished.returncode == 1
    assert "The owner's role could not do that: permission denied to create role" in finished.stderr
