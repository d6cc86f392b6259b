"""Liveness, readiness and metrics."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.database_roles import as_owner, needs_two_roles
from tests.factories import make_catalogue


def test_liveness_touches_no_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_when_database_migrations_and_broker_are(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok", "broker": "ok"}


@pytest.mark.django_db
def test_not_ready_without_the_broker(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/1"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["broker"] == "failed"
    assert b"127.0.0.1" not in response.content


def test_not_ready_while_a_migration_is_missing(client, committed_database, django_db_blocker):
    with psycopg.connect(committed_database.owner_url) as owner:
        owner.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'genomepath')"
        )
    with django_db_blocker.unblock():
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "failed"


@needs_two_roles
def test_production_is_ready_as_the_application_and_never_as_one_who_could_change_the_log(
    client, settings, committed_database, django_db_blocker
):
    settings.PRODUCTION = True
    with django_db_blocker.unblock():
        as_application = client.get("/readyz")
        with as_owner():
            refused = client.get("/readyz")

    assert (as_application.status_code, as_application.json()["checks"]["database_role"]) == (200, "ok")
    assert (refused.status_code, refused.json()["checks"]["database_role"]) == (503, "failed")
    assert "could change the audit log" in refused.json()["advice"]


@needs_two_roles
@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE", "TRIGGER"])
def test_production_is_not_ready_with_one_right_too_many(
    right, client, settings, committed_database, django_db_blocker
):
    settings.PRODUCTION = True
    with psycopg.connect(committed_database.owner_url) as owner:
        owner.execute(f"GRANT {right} ON ethics_auditevent TO {settings.DATABASE_APP_ROLE}")
    with django_db_blocker.unblock():
        assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_metrics_count_predictions_without_naming_knowledge(client, make_api_client):
    catalogue = make_catalogue()
    slug = catalogue.practices[0].slug
    make_api_client().http.get(f"/api/v1/predictions/practices/{slug}/targets/")

    text = client.get("/metrics").content.decode()

    assert 'genomepath_predictions_total{direction="tk_to_genomic",source="database"}' in text
    assert slug not in text
    assert json.dumps(catalogue.practices[0].title) not in text
