"""`manage.py database_roles`: the application's role with its password and its rights."""

from __future__ import annotations

from typing import Any

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from neurobotanica.database_roles import grants_apply

ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Makes the role that DATABASE_URL names, or gives it the password written there, and grants it what the "
        "application needs. Connects as DATABASE_OWNER_URL, which must be allowed to make roles. May be repeated; "
        "run it before the first migrate, and after a change of the password."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        role = settings.DATABASE_APP_ROLE
        if not role:
            raise CommandError(
                "Set DATABASE_URL (the application's role) and DATABASE_OWNER_URL (the owner's) to two roles."
            )
        password = environ.Env().db_url("DATABASE_URL")["PASSWORD"]
        if not password:
            raise CommandError("DATABASE_URL holds no password for the application's role.")
        try:
            with transaction.atomic():
                made = _role_set(role, password)
                grants_apply(connection, role)
        except DatabaseError as error:
            raise CommandError(f"The owner's role could not do that: {error}") from error
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"role {role}: {'made' if made else 'updated'}, rights granted")


def _role_set(role: str, password: str) -> bool:
    """Make or change the role; True where it is new. The server gets a SCRAM verifier, never the password itself."""
    connection.ensure_connection()
    verifier = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        is_new = cursor.fetchone() is None
        cursor.execute(
            sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                sql.SQL("CREATE" if is_new else "ALTER"),
                sql.Identifier(role),
                sql.SQL(ATTRIBUTES),
                sql.Literal(verifier.decode()),
            )
        )
    return is_new
