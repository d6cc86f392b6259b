"""The two database roles of a test run: the owner makes databases, everything else is the application."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

ROLE_ADVICE = (
    "Tests run as the application's role. One that changes tables, or rows of the log, does so as the owner: marker "
    "'database_owner' for the whole test, 'with as_owner():' or 'committed_database.owner_url' in a committed database."
)
OWNER, APPLICATION = "DATABASE_OWNER_URL", "DATABASE_URL"

needs_two_roles = pytest.mark.skipif(
    not settings.DATABASE_APP_ROLE, reason="not run: DATABASE_URL and DATABASE_OWNER_URL name no two roles"
)


def url_of(variable: str, database: str) -> str:
    """The address of a database for one of the roles; the application's where the run has one role only."""
    address = urlsplit(os.environ.get(variable) or os.environ[APPLICATION])
    return urlunsplit(address._replace(path=f"/{database}"))


class _Connected:
    role = APPLICATION


def connect_as(variable: str) -> None:
    """Let Django's connection use one of the roles from its next query on. No transaction may be open."""
    connections.close_all()
    _Connected.role = variable
    address = urlsplit(os.environ.get(variable) or os.environ[APPLICATION])
    connection.settings_dict |= {"USER": unquote(address.username or ""), "PASSWORD": unquote(address.password or "")}


@contextmanager
def as_owner() -> Iterator[None]:
    """Be the owner inside of the block, in databases whose rows are committed."""
    before = _Connected.role
    connect_as(OWNER)
    try:
        yield
    finally:
        connect_as(before)


def run(statement: str, *values: str | int) -> list[tuple]:
    """The rows of one statement in a transaction of its own, or in a savepoint."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def one(statement: str, *values: str | int) -> object:
    """The first value of the first row."""
    return run(statement, *values)[0][0]
