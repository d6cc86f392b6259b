"""Migrations are linear, complete and reversible, and their arrows run as the imports do."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from ethics import audit
from ethics.audit import AuditContext
from ethics.models import AuditEvent
from tests.database_roles import as_owner
from tests.factories import make_correlation, make_practice, make_target

APPS = ("ethics", "correlations", "genomepath", "neurobotanica")


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.mark.parametrize("app", APPS)
def test_an_app_has_one_line_of_migrations(app, loader):
    assert len(loader.graph.leaf_nodes(app)) == 1
    assert len(loader.graph.root_nodes(app)) == 1
    names = [name for label, name in loader.disk_migrations if label == app]
    assert len({name[:4] for name in names}) == len(names), "no number twice"


@pytest.mark.parametrize("position", range(len(APPS)))
def test_a_migration_depends_on_apps_to_the_right_only(position, loader):
    """``ethics`` stands right of all: no migration of it may depend on another of our apps."""
    app, forbidden = APPS[position], set(APPS[position + 1 :])

    for (label, name), migration in loader.disk_migrations.items():
        if label == app:
            needed = {dependency[0] for dependency in (*migration.dependencies, *migration.run_before)}
            assert not needed & forbidden, f"{label}.{name}"


@pytest.mark.django_db
def test_the_models_have_no_change_without_a_migration(capsys):
    call_command("makemigrations", "--check", "--dry-run", *APPS)

    assert "No changes detected" in capsys.readouterr().out


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.split("_")[0] in APPS}


def test_every_migration_can_be_undone_and_made_again(committed_database, django_db_blocker):
    """On the way back everything of ours goes; on the way forward everything comes again."""
    with django_db_blocker.unblock(), as_owner():
        before = tables()
        for app in reversed(APPS):
            call_command("migrate", app, "zero", verbosity=0)
        undone = tables()
        call_command("migrate", verbosity=0)
        again = tables()

    assert len(before) > 20
    assert undone == set()
    assert again == before


def test_a_quality_that_does_not_fit_is_mended_before_the_constraint_comes(committed_database, django_db_blocker):
    """A row that an earlier version could store: confidence 0.9 as 'poor'."""
    with django_db_blocker.unblock(), as_owner():
        row = make_correlation(make_practice(), make_target(), confidence=0.9, quality="good")
        call_command("migrate", "correlations", "0002", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE correlations_correlation SET quality = 'poor' WHERE id = %s", [row.pk])
        call_command("migrate", verbosity=0)
        row.refresh_from_db()

    assert row.quality == "good"


def test_events_from_before_the_commitments_are_converted_and_can_be_taken_back(committed_database, django_db_blocker):
    """Back to names in the hashed text, and forward again: what the log tells stays the same."""

    def told() -> list[tuple]:
        events = AuditEvent.objects.with_people().order_by("pk")
        return [(event.event_id, event.actor_name, event.reason, event.subject_ids) for event in events]

    with django_db_blocker.unblock(), as_owner():
        context = AuditContext("mira synthetic", "curator", request_id="request-1")
        audit.record("item.objected", subjects=["a"], communities=["b"], reason="asked", context=context)
        audit.record("sacred.viewed", subjects=["a"], communities=["b"])
        before = told()
        committed = set(AuditEvent.objects.values_list("canonical", flat=True))
        call_command("migrate", "neurobotanica", "0004", verbosity=0)
        call_command("migrate", "ethics", "0006", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT canonical FROM ethics_auditevent WHERE actor_name = 'mira synthetic'")
            [named] = cursor.fetchall()
        call_command("migrate", verbosity=0)
        again = set(AuditEvent.objects.values_list("canonical", flat=True))

        assert told() == before
    assert '"actor_name":"mira synthetic"' in named[0]
    assert '"reason":"asked"' in named[0]
    assert not committed & again
    assert not [text for text in again if "mira" in text or "asked" in text]
