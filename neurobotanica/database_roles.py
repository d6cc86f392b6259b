"""What the application's database role may do: the declared list, and the grants that follow from it.

The owner's role makes and changes tables (``migrate``). The application's role reads and writes rows; of the log's tables
it may read and add rows only, so that not even raw SQL of the application can change the record. A table that belongs to
no model of the platform is not opened at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pghistory.models
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

APPEND_ONLY = (
    "ethics.AlertNote",
    "ethics.AuditArchive",
    "ethics.AuditEvent",
    "ethics.AuditHead",
    "ethics.AuditLeaf",
    "ethics.AuditNode",
    "ethics.AuditSigningKey",
    "ethics.AuditVerification",
    "ethics.WithdrawalReceipt",
)
"""Rows are added and read. The event tables of pghistory, which belong here too, are found by their base class."""

ERASABLE: Mapping[str, tuple[str, ...]] = {
    "ethics.AuditIdentity": ("salt", "name", "shredded_at"),
    "ethics.AuditReason": ("salt", "text", "shredded_at"),
    "pghistory.Context": ("metadata",),
}
"""Like the above, but these columns may be emptied: personal data that can be shredded."""

DERIVED = ("ethics.AuditDailyCount",)
"""Counts and indexes drawn from the log, which can be drawn again: ordinary tables in spite of their name."""

READ_ONLY = ("correlations_cataloguerevision", "django_migrations")
"""Tables that the owner's commands or the owner's triggers alone write."""

_LOG, _ROWS = "SELECT, INSERT", "SELECT, INSERT, UPDATE, DELETE"


def append_only_tables() -> list[str]:
    """The tables of the log and of field history, where the application adds and reads rows."""
    named = [apps.get_model(label) for label in (*APPEND_ONLY, *ERASABLE)]
    histories = [
        model for model in apps.get_models() if issubclass(model, pghistory.models.Event) and _has_table(model)
    ]
    return sorted({model._meta.db_table for model in (*named, *histories)})


def ordinary_tables() -> list[str]:
    """All other tables of models, where the application adds, changes and removes rows."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if _has_table(model)}
    return sorted(tables - set(append_only_tables()))


def privileges() -> Iterator[tuple[str, str]]:
    """(privileges in SQL, table) of everything that the application may do with rows."""
    for table in ordinary_tables():
        yield _ROWS, table
    for table in append_only_tables():
        yield _LOG, table
    for label, columns in ERASABLE.items():
        yield f"UPDATE ({', '.join(columns)})", apps.get_model(label)._meta.db_table
    for table in READ_ONLY:
        yield "SELECT", table


def grants_apply(connection: BaseDatabaseWrapper, role: str) -> None:
    """Give the application's role exactly its privileges, in one transaction. May be repeated.

    Raises:
        ImproperlyConfigured: there is no such role, or it is one that no grant could bind.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _check_role(cursor, role)
        database = connection.settings_dict["NAME"]
        for statement in _statements(database, role, set(connection.introspection.table_names(cursor))):
            # As text: a wrapper around the cursor may want to look at it.
            cursor.execute(statement.as_string(cursor.connection))


def _statements(database: str, role: str, present: set[str]) -> Iterator[sql.Composed]:
    name = sql.Identifier(role)
    yield sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {}").format(name)
    yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name)
    # A temporary table of the same name would stand before a table of the platform.
    yield sql.SQL("REVOKE TEMPORARY, CREATE ON DATABASE {} FROM PUBLIC, {}").format(sql.Identifier(database), name)
    yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), name)
    granted = [(rights, table) for rights, table in privileges() if table in present]
    for table in sorted({table for _, table in granted}):
        yield sql.SQL("REVOKE ALL ON TABLE {} FROM PUBLIC, {}").format(sql.Identifier(table), name)
    for rights, table in granted:
        yield sql.SQL("GRANT {} ON TABLE {} TO {}").format(sql.SQL(rights), sql.Identifier(table), name)
    yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(name)


def _check_role(cursor: Any, role: str) -> None:
    cursor.execute(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication,"
        " pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s",
        [role],
    )
    found = cursor.fetchone()
    if found is None:
        raise ImproperlyConfigured(
            f"The database has no role {role!r}, which DATABASE_URL names. Make it: manage.py database_roles."
        )
    if any(found):
        raise ImproperlyConfigured(
            f"The role {role!r} of DATABASE_URL may do more than the application should: it must be no superuser, make "
            "no roles or databases, and be no member of the owner's role."
        )


def _has_table(model: type[models.Model]) -> bool:
    return model._meta.managed and not model._meta.proxy and not model._meta.abstract


# Asked of the tables themselves, so that it holds for roles under any name.
_UNBOUND = """
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    OR bool_or(pg_has_role(current_user, relowner, 'MEMBER'))
    OR bool_or(has_table_privilege(current_user, oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'))
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)
"""


def may_change_the_log(connection: BaseDatabaseWrapper) -> bool:
    """Whether the role of this connection could change the log: a superuser, the owner, or one with too many rights."""
    with connection.cursor() as cursor:
        cursor.execute(_UNBOUND, [append_only_tables()])
        return bool(cursor.fetchone()[0])
