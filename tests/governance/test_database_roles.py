"""The application's database role: raw SQL under it can't change the log, and nothing that it needs is missing.

The whole suite runs under this role; only what makes or changes databases runs as the owner.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection

from neurobotanica.database_roles import (
    DERIVED,
    ERASABLE,
    append_only_tables,
    may_change_the_log,
    ordinary_tables,
)
from tests.database_roles import needs_two_roles, one, run

pytestmark = [pytest.mark.django_db, needs_two_roles]

LOG_TABLES = append_only_tables()
REFUSED = "permission denied|must be owner"


def column_of(table: str) -> str:
    """A column that nobody may empty."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    free = ERASABLE.get(model._meta.label, ())
    return next(str(field.column) for field in model._meta.concrete_fields if field.column not in free)


def owner() -> str:
    return str(one("SELECT tableowner FROM pg_tables WHERE tablename = 'ethics_auditevent'"))


def test_the_suite_runs_as_the_application() -> None:
    assert one("SELECT current_user") == one("SELECT session_user") == settings.DATABASE_APP_ROLE
    assert not may_change_the_log(connection)


CHANGES = {
    "update": "UPDATE {table} SET {column} = {column}",
    "insert that updates": "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT DO UPDATE SET {column} = NULL",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
    "drop": "DROP TABLE {table} CASCADE",
    "rename": "ALTER TABLE {table} RENAME TO away",
    "own": "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "disable the triggers": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "disable the user triggers": "ALTER TABLE {table} DISABLE TRIGGER USER",
    "add a trigger": (
        "CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "add a rule": "CREATE RULE swallow AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "drop a column": "ALTER TABLE {table} DROP COLUMN {column} CASCADE",
    "row security": "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "lock it away": "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
}


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("change", CHANGES)
def test_raw_sql_cannot(change: str, table: str) -> None:
    statement = CHANGES[change].format(table=table, column=column_of(table))
    if "ON CONFLICT" in statement:
        key = one(
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE i.indisprimary AND i.indrelid = %s::regclass", table,
        )  # fmt: skip
        statement = statement.replace("ON CONFLICT", f"ON CONFLICT ({key})")

    with pytest.raises(ProgrammingError, match=REFUSED):
        run(statement)


@pytest.mark.parametrize("table", LOG_TABLES)
def test_the_application_cannot_grant_itself_a_right(table: str) -> None:
    run(f"GRANT ALL ON {table} TO CURRENT_USER")  # PostgreSQL warns and grants nothing that one doesn't hold

    for right in ("UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"):
        assert one("SELECT has_table_privilege(%s, %s)", table, right) is False, right


@pytest.mark.parametrize("table", LOG_TABLES)
def test_the_functions_of_the_guards_cannot_be_replaced(table: str) -> None:
    """Of every trigger on the table, and the one that history calls."""
    functions = run("SELECT DISTINCT tgfoid::regproc::text FROM pg_trigger WHERE tgrelid = %s::regclass", table)

    for (function,) in [*functions, ("_pgh_attach_context",)]:
        if not function.startswith('"RI_'):
            with pytest.raises(ProgrammingError, match=REFUSED):
                run(
                    f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger"
                    " AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql"
                )
            with pytest.raises(ProgrammingError, match=REFUSED):
                run(f"DROP FUNCTION {function}() CASCADE")


WAYS_UP = {
    "replica": "SET session_replication_role = replica",
    "replica, in the transaction": "SET LOCAL session_replication_role = replica",
    "owner": 'SET ROLE "{owner}"',
    "owner's session": 'SET SESSION AUTHORIZATION "{owner}"',
    "superuser": "SET ROLE postgres",
    "membership": 'GRANT "{owner}" TO CURRENT_USER',
    "another role": "CREATE ROLE stronger SUPERUSER LOGIN",
    "attribute": "ALTER ROLE CURRENT_USER SUPERUSER",
    "schema": "CREATE SCHEMA mine",
    "table": "CREATE TABLE ethics_auditevents (id int)",
    "a table in front": "CREATE TEMPORARY TABLE ethics_auditevent (id int)",
    "event trigger": "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION pg_notify()",
    "extension": "CREATE EXTENSION dblink",
    "database": "ALTER DATABASE {database} SET session_replication_role = replica",
    "role's settings": "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
    "program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "migrations": "DELETE FROM django_migrations",
}


@pytest.mark.parametrize("way", WAYS_UP)
def test_the_application_cannot_become_stronger(way: str) -> None:
    statement = WAYS_UP[way].format(owner=owner(), database=connection.settings_dict["NAME"])

    with pytest.raises(ProgrammingError, match=f"{REFUSED}|only superusers|does not exist"):
        run(statement)


def test_the_role_has_no_attribute_and_belongs_to_no_other_role() -> None:
    assert run(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles"
        " WHERE rolname = current_user"
    ) == [(False,) * 5]
    assert run("SELECT 1 FROM pg_auth_members WHERE member = current_user::regrole") == []
    assert run("SELECT relname FROM pg_class WHERE relowner = current_user::regrole") == []


@pytest.mark.parametrize("table", ordinary_tables())
def test_rows_of_all_other_tables_are_the_applications_and_their_shape_is_not(table: str) -> None:
    held = {
        right: one("SELECT has_table_privilege(%s, %s)", table, right)
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
    }

    assert [right for right, may in held.items() if may] == ["SELECT", "INSERT", "UPDATE", "DELETE"]


@pytest.mark.parametrize("table", LOG_TABLES)
def test_the_log_and_the_histories_take_rows_and_give_them(table: str) -> None:
    assert [one("SELECT has_table_privilege(%s, %s)", table, right) for right in ("SELECT", "INSERT")] == [True, True]


def test_the_next_number_of_every_sequence_can_be_taken_and_none_set_back() -> None:
    sequences = [name for (name,) in run("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'")]

    assert sequences
    assert [name for name in sequences if not one("SELECT has_sequence_privilege(%s, 'USAGE')", name)] == []
    assert [name for name in sequences if one("SELECT has_sequence_privilege(%s, 'UPDATE')", name)] == []


def test_every_table_that_refuses_changes_by_trigger_or_by_name_is_declared() -> None:
    """A new table of the log that is missing from the list stands here."""
    before_truncate = 2 | 32
    guarded = {
        name
        for (name,) in run(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgtype & %s = %s",
            before_truncate,
            before_truncate,
        )
    }
    named = {name for (name,) in run("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_audit'")}

    assert "ethics_auditevent" in guarded
    derived = {apps.get_model(label)._meta.db_table for label in DERIVED}
    assert (guarded | named) - derived - set(LOG_TABLES) == set()
    assert not guarded & derived
