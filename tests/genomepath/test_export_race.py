"""An export and a decision against it come one after the other, so that one of them knows of the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from correlations.models import Practice
from ethics.policy import Audience
from ethics.stewardship import item_record_objection
from genomepath.export_records import export_record_add
from tests.factories import make_practice
from tests.genomepath.withdrawal_cases import DATA


def object_without_waiting(practice: Practice) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 1")
        item_record_objection(item=practice.item, reference="letter 1", reason="the community objects")
    finally:
        connection.close()


def test_a_decision_waits_for_an_export_that_is_being_noted(committed_database, django_db_blocker):
    """Decided between the question to the policy and the record, it would find no record to tell anybody of."""
    with django_db_blocker.unblock(), ThreadPoolExecutor(max_workers=1) as other:
        practice = make_practice()
        with transaction.atomic():
            export_record_add(
                what="training set",
                recipient="Synthetic university",
                data_sha256=DATA,
                item_public_ids=[practice.item.public_id],
                audiences=[Audience.RESEARCH],
            )
            with pytest.raises(OperationalError, match="lock timeout"):
                other.submit(object_without_waiting, practice).result()
        other.submit(object_without_waiting, practice).result()

        practice.item.refresh_from_db()
    assert practice.item.objection_at is not None
