"""Liveness, readiness and metrics."""

from __future__ import annotations

import json

import pytest
from django.db import connection

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


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'genomepath')"
        )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "failed"


@pytest.mark.django_db
def test_metrics_count_predictions_without_naming_knowledge(client, make_api_client):
    catalogue = make_catalogue()
    slug = catalogue.practices[0].slug
    make_api_client().http.get(f"/api/v1/predictions/practices/{slug}/targets/")

    text = client.get("/metrics").content.decode()

    assert 'genomepath_predictions_total{direction="tk_to_genomic",source="database"}' in text
    assert slug not in text
    assert json.dumps(catalogue.practices[0].title) not in text
