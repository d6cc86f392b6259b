"""Field history is written by the database: no writer escapes it, and it knows who acted in which request."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from correlations.curation import correlation_set_status
from correlations.models import Correlation
from correlations.vocabulary import ReviewStatus
from ethics.audit import AuditContext, audit_context
from ethics.models import AuditEvent
from tests.factories import make_correlation, make_practice, make_target

pytestmark = pytest.mark.django_db


def history(row: Correlation) -> list:
    model = apps.get_model("correlations", "CorrelationEvent")
    return list(model.objects.filter(pgh_obj_id=row.pk).order_by("pgh_id"))


@pytest.fixture
def row() -> Correlation:
    return make_correlation(make_practice(), make_target(), mechanism="first")


def test_a_bulk_update_leaves_history(row):
    Correlation.objects.filter(pk=row.pk).update(mechanism="second")

    assert [event.mechanism for event in history(row)] == ["first", "second"]


def test_a_raw_sql_update_leaves_history(row):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE correlations_correlation SET mechanism = 'raw' WHERE id = %s", [row.pk])

    assert [(event.pgh_label, event.mechanism) for event in history(row)] == [("insert", "first"), ("update", "raw")]


def test_a_bulk_create_leaves_history():
    practice, target = make_practice(), make_target()
    rows = Correlation.objects.bulk_create(
        Correlation(
            practice=practice, target=target, direction="tk_to_genomic", dose=dose, confidence=0.6, quality="moderate"
        )
        for dose in ("low", "high")
    )

    assert [len(history(row)) for row in rows] == [1, 1]


def test_an_update_that_changes_nothing_leaves_none(row):
    Correlation.objects.filter(pk=row.pk).update(mechanism="first")

    assert len(history(row)) == 1


@pytest.mark.parametrize("raw", [False, True])
def test_history_carries_actor_role_request_and_reason_of_the_audit_context(row, raw):
    with audit_context(AuditContext("mira", "curator", request_id="request-42", reason="asked")):
        if raw:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE correlations_correlation SET mechanism = 'raw' WHERE id = %s", [row.pk])
        else:
            Correlation.objects.filter(pk=row.pk).update(mechanism="bulk")

    context = history(row)[-1].pgh_context
    assert context.metadata == {"actor": "mira", "role": "curator", "request_id": "request-42", "reason": "asked"}


def test_history_and_audit_event_of_one_change_name_the_same_request(row):
    Correlation.objects.filter(pk=row.pk).update(status="draft")
    with audit_context(AuditContext("mira", "curator", reason="asked")) as context:
        correlation_set_status(correlation=row, status=ReviewStatus.APPROVED)

    event = AuditEvent.objects.get(event_type="correlation.reviewed")
    assert event.request_id == context.request_id == history(row)[-1].pgh_context.metadata["request_id"]


def test_history_outlives_the_row(row):
    kept = row.pk
    row.delete()

    model = apps.get_model("correlations", "CorrelationEvent")
    assert model.objects.filter(pgh_obj_id=kept).exists()
