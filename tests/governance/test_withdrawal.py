"""A withdrawal reaches everything from its commit on, and one that is rolled back reaches nothing."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from unittest import mock

import psycopg
import pytest
import redis
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from correlations.models import GenomicTarget, Practice
from ethics.consent import consent_record, consent_withdraw
from ethics.models import ApiClient, AuditEvent, Consent, GovernedItem, PolicyRevision, WithdrawalCase
from ethics.policy import Audience, Basis, ConsentState, Purpose
from ethics.stewardship import item_record_objection
from genomepath.housekeeping import mark_withheld_models
from genomepath.models import ModelVersion
from genomepath.registry import model_promote
from genomepath.withdrawal_processing import WITHDRAWALS_LOCK, withdrawals_process
from tests.factories import make_correlation, make_item, make_model_version, make_practice, make_target, publish

pytestmark = pytest.mark.usefixtures("committed_database")


@dataclass(frozen=True)
class Served:
    """A practice that is served on a consent, beside one that always is."""

    consent: Consent
    item: GovernedItem
    practice: Practice
    other: Practice
    target: GenomicTarget
    version: ModelVersion


def serve_on_consent(valid_until=None) -> Served:
    item = make_item(basis=Basis.CONSENT, basis_source="")
    consent = consent_record(
        community=item.community,
        items=[item],
        purposes=list(Purpose),
        audiences=list(Audience),
        state=ConsentState.GRANTED,
        valid_from=timezone.now() - timedelta(days=1),
        valid_until=valid_until,
        document_reference="synthetic letter",
        recorded_by="test",
    )
    practice, other, target = make_practice(item=item), make_practice(), make_target()
    make_correlation(practice, target, mechanism="a synthetic mechanism")
    version = make_model_version(trained_on=[item.public_id])
    publish(version, [practice, other], [target])
    return Served(consent, item, practice, other, target, version)


def ask(client, served: Served) -> tuple[int, list[str], list[str]]:
    """Status of the practice's own answer, slugs in the target's answer, and slugs in the list."""
    own = client.get(f"/api/v1/predictions/practices/{served.practice.slug}/targets/")
    of_target = client.get(f"/api/v1/predictions/targets/{served.target.symbol}/practices/")
    listed = client.get("/api/v1/practices/")
    return (
        own.status_code,
        [entry["practice"]["slug"] for entry in json.loads(of_target.content)["predictions"]],
        [entry["slug"] for entry in json.loads(listed.content)["results"]],
    )


def warm_cache_holds(text: str) -> bool:
    store = redis.Redis.from_url(django_settings.REDIS_URL)
    names = store.scan_iter(f"{django_settings.CACHES['default']['KEY_PREFIX']}:answer:*")
    return any(text.encode() in (store.get(name) or b"") for name in names)


@pytest.fixture
def served() -> Served:
    return serve_on_consent()


def warm(served: Served, make_api_client):
    client = make_api_client(Audience.RESEARCH).http
    both = [served.practice.slug, served.other.slug]
    assert ask(client, served) == ask(client, served) == (200, both, both)
    assert warm_cache_holds(served.practice.slug)
    return client


def test_after_a_withdrawal_the_next_request_does_not_find_the_practice(served: Served, make_api_client) -> None:
    client = warm(served, make_api_client)
    consent_withdraw(consent=served.consent, reason="the community decided so")
    assert ask(client, served) == (404, [served.other.slug], [served.other.slug])


def test_a_withdrawal_raises_the_revision_in_its_own_transaction(served: Served, committed_database) -> None:
    before = PolicyRevision.current()
    with transaction.atomic():
        consent_withdraw(consent=served.consent, reason="the community decided so")
        assert PolicyRevision.current() > before
        with psycopg.connect(committed_database.url) as elsewhere:
            assert elsewhere.execute("SELECT value FROM ethics_policyrevision").fetchone() == (before,)
    assert PolicyRevision.current() > before


def test_a_withdrawal_that_is_rolled_back_changes_nothing(served: Served, make_api_client) -> None:
    client = warm(served, make_api_client)
    before, events = PolicyRevision.current(), AuditEvent.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        consent_withdraw(consent=served.consent, reason="the community decided so")
        raise RuntimeError
    assert (PolicyRevision.current(), AuditEvent.objects.count()) == (before, events)
    assert ModelVersion.objects.get().marked_at is None
    assert ask(client, served)[0] == 200


GOVERNED_ROWS = {
    "a consent": "UPDATE ethics_consent SET state = 'withdrawn', withdrawn_at = now()",
    "a consent's items": "DELETE FROM ethics_consentitem",
    "an item": "UPDATE ethics_governeditem SET objection_at = now() WHERE basis = 'consent'",
    "an attribution": "DELETE FROM ethics_attribution WHERE item_id = (SELECT item_id FROM ethics_consentitem)",
    "a label": (
        "WITH label AS (INSERT INTO ethics_label (code, kind, name, meaning, source_url, rule)"
        " VALUES ('S', 'TK', 's', 'm', 'https://example.org', 'secret') RETURNING id)"
        " INSERT INTO ethics_itemlabel (item_id, label_id, community_text)"
        " SELECT item_id, label.id, '' FROM ethics_consentitem, label"
    ),
}


@pytest.mark.parametrize("row", GOVERNED_ROWS)
def test_raw_sql_on_a_governed_table_reaches_as_far(row: str, served: Served, make_api_client) -> None:
    client = warm(served, make_api_client)
    before = PolicyRevision.current()
    with connection.cursor() as cursor:
        cursor.execute(GOVERNED_ROWS[row])
    assert PolicyRevision.current() > before
    assert ask(client, served) == (404, [served.other.slug], [served.other.slug])


GOVERNED_TABLES = ("community", "label", "governeditem", "itemlabel", "attribution", "consent", "consentitem")


def test_every_governed_table_raises_the_revision() -> None:
    for table in GOVERNED_TABLES:
        for statement in ("UPDATE ethics_{0} SET id = id", "DELETE FROM ethics_{0} WHERE false"):
            before = PolicyRevision.current()
            with connection.cursor() as cursor:
                cursor.execute(statement.format(table))
            assert PolicyRevision.current() == before + 1, (table, statement)


def test_a_model_trained_on_it_is_marked_and_cannot_be_promoted(served: Served) -> None:
    unconcerned = make_model_version(state="candidate", trained_on=[served.other.item.public_id])
    consent_withdraw(consent=served.consent, reason="the community decided so")
    served.version.refresh_from_db()
    unconcerned.refresh_from_db()
    assert served.version.marked_at is not None
    assert unconcerned.marked_at is None
    with pytest.raises(ValidationError, match="since been withheld"):
        model_promote(version=served.version, promoted_by="test")
    assert AuditEvent.objects.get(event_type="model.marked").subject_ids == [served.version.sha256]


def test_a_stale_copy_of_a_marked_model_cannot_be_promoted(served: Served) -> None:
    stale = ModelVersion.objects.get(pk=served.version.pk)
    consent_withdraw(consent=served.consent, reason="the community decided so")
    with pytest.raises(ValidationError, match="since been withheld"):
        model_promote(version=stale, promoted_by="test")


def test_after_the_end_of_a_consent_the_next_request_does_not_find_the_practice(make_api_client) -> None:
    end = timezone.now() + timedelta(seconds=8)
    served = serve_on_consent(valid_until=end)
    client = warm(served, make_api_client)
    time.sleep(max(0.0, (end - timezone.now()).total_seconds()))
    assert ask(client, served) == (404, [served.other.slug], [served.other.slug])


def test_after_the_end_of_a_consent_its_models_cannot_be_promoted() -> None:
    served = serve_on_consent(valid_until=timezone.now() + timedelta(milliseconds=300))
    time.sleep(0.3)
    with pytest.raises(ValidationError, match="since been withheld"):
        model_promote(version=served.version, promoted_by="test")


def test_after_the_end_of_a_consent_its_models_are_marked_without_anybody_acting() -> None:
    end = timezone.now() + timedelta(hours=1)
    served = serve_on_consent(valid_until=end)
    unconcerned = make_model_version(state="candidate", trained_on=[served.other.item.public_id])
    assert mark_withheld_models() == 0
    with mock.patch("django.utils.timezone.now", lambda: end):
        assert mark_withheld_models() == 1
        assert mark_withheld_models() == 0
    marked = {version.pk: version.marked_at for version in ModelVersion.objects.all()}
    assert marked[served.version.pk] is not None
    assert marked[unconcerned.pk] is None


def test_event_and_change_are_committed_together(make_api_client) -> None:
    make_api_client(Audience.RESEARCH)
    connection.close()
    assert ApiClient.objects.count() == 1
    assert {event.event_type for event in AuditEvent.objects.all()} == {"client.created", "api_key.created"}


def test_while_one_process_works_on_withdrawals_another_leaves_them_to_it(committed_database) -> None:
    practice = make_practice()
    item_record_objection(item=practice.item, reference="letter 1", reason="the community objects")
    with psycopg.connect(committed_database.url) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(%s)", [WITHDRAWALS_LOCK])
        withdrawals_process()
        assert WithdrawalCase.objects.get().state == "open"
        # The end of a connection would free it as well, but a moment after the client goes on.
        elsewhere.execute("SELECT pg_advisory_unlock(%s)", [WITHDRAWALS_LOCK])
    withdrawals_process()
    assert WithdrawalCase.objects.get().state == "completed"


def test_a_process_with_patience_waits_for_the_one_at_work(committed_database) -> None:
    """Its case may be younger than what the other one looked at."""
    practice = make_practice()
    item_record_objection(item=practice.item, reference="letter 1", reason="the community objects")
    elsewhere = psycopg.connect(committed_database.url, autocommit=True)
    elsewhere.execute("SELECT pg_advisory_lock(%s)", [WITHDRAWALS_LOCK])
    ends = threading.Timer(0.5, elsewhere.close)
    ends.start()

    withdrawals_process(patience=timedelta(seconds=30))

    ends.join()
    assert WithdrawalCase.objects.get().state == "completed"
