"""Keys: what the services make of them, what the database refuses, and what a cached key may not outlive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from ethics.clients import api_key_create, api_key_revoke, api_key_rotate, client_create, client_update
from ethics.models import ApiClient, ApiKey, AuditEvent
from ethics.policy import Audience
from ethics.revisions import current_revisions
from ethics.scopes import SCOPE_MEANINGS, Scope
from tests.service_home import PROJECT_ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def client_record() -> ApiClient:
    return client_create(organisation="Synthetic", audience=Audience.RESEARCH)


def status_of(text: str, address: str = "127.0.0.1", **headers: str) -> int:
    http = APIClient(REMOTE_ADDR=address)
    return http.get("/api/v1/targets/", headers={"Authorization": f"Api-Key {text}", **headers}).status_code


def test_a_key_may_be_used_from_its_networks_alone(client_record):
    _, text = api_key_create(client=client_record, name="k", allowed_networks=["192.0.2.0/24", "2001:db8::/32"])
    assert [status_of(text, address) for address in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8::5")] == [200] * 3
    assert [status_of(text, address) for address in ("192.0.3.7", "2001:db9::5", "")] == [403] * 3


def test_a_forwarded_address_counts_from_a_trusted_proxy_alone(client_record, settings):
    _, text = api_key_create(client=client_record, name="k", allowed_networks=["192.0.2.0/24"])
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert status_of(text, "10.0.0.1", **forwarded) == 403
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert status_of(text, "10.0.0.1", **forwarded) == 200
    assert status_of(text, "10.0.0.1", **{"X-Forwarded-For": "192.0.2.7, 198.51.100.1"}) == 403
    assert status_of(text, "10.0.0.1", **{"X-Forwarded-For": "192.0.2.7, 10.0.0.2"}) == 200


def test_a_successor_is_alike_and_both_work_during_the_overlap(client_record):
    key, text = api_key_create(
        client=client_record, name="k", scopes=[Scope.CATALOGUE], allowed_networks=["127.0.0.0/8"], requests_per_day=9
    )
    successor, new_text = api_key_rotate(key=key, overlap=timedelta(hours=1))
    key.refresh_from_db()
    assert key.replaced_by == successor
    for field in ("client", "name", "scopes", "allowed_networks", "requests_per_minute", "requests_per_day"):
        assert getattr(successor, field) == getattr(key, field)
    assert [status_of(text), status_of(new_text)] == [200, 200]
    assert key.expiry_date is not None
    assert timedelta(minutes=59) < key.expiry_date - timezone.now() <= timedelta(hours=1)
    assert AuditEvent.objects.filter(event_type="api_key.rotated").get().subject_ids == [key.prefix, successor.prefix]


def test_without_overlap_the_old_key_ends_at_once(client_record):
    key, text = api_key_create(client=client_record, name="k")
    assert status_of(text) == 200
    api_key_rotate(key=key, overlap=timedelta(0))
    assert status_of(text) == 401


def test_rotation_does_not_prolong_a_key(client_record):
    ends = timezone.now() + timedelta(minutes=5)
    key, _ = api_key_create(client=client_record, name="k", expires_at=ends)
    successor, _ = api_key_rotate(key=key, overlap=timedelta(days=1))
    key.refresh_from_db()
    assert (key.expiry_date, successor.expiry_date) == (ends, ends)


@pytest.mark.parametrize(
    ("prepare", "overlap", "message"),
    [
        (lambda key: api_key_revoke(key=key), timedelta(0), "in use"),
        (lambda key: ApiKey.objects.update(expiry_date=timezone.now()), timedelta(0), "in use"),
        (lambda key: api_key_rotate(key=key, overlap=timedelta(days=1)), timedelta(0), "rotated before"),
        (lambda key: None, timedelta(days=31), "30 days"),
        (lambda key: None, timedelta(seconds=-1), "30 days"),
    ],
)
def test_what_can_not_be_rotated(client_record, prepare: Callable[[ApiKey], Any], overlap: timedelta, message: str):
    key, _ = api_key_create(client=client_record, name="k")
    prepare(key)
    with pytest.raises(ValidationError, match=message):
        api_key_rotate(key=key, overlap=overlap)


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": []},
        {"allowed_networks": ["192.0.2.1/24"]},
        {"allowed_networks": ["anywhere"]},
        {"allowed_networks": [f"192.0.2.{number}" for number in range(33)]},
        {"requests_per_minute": 0},
        {"requests_per_day": -1},
    ],
)
def test_a_bad_setting_is_refused_and_nothing_is_made(client_record, fields: dict[str, Any]):
    with pytest.raises(ValidationError):
        api_key_create(client=client_record, name="k", **fields)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "scopes = '{}'",
        "scopes = '{everything}'",
        "allowed_networks = '{192.0.2.1/24}'",
        "requests_per_minute = 0",
        "hashed_key = ''",
        "replaced_by_id = id, expiry_date = now()",
        "replaced_by_id = (SELECT id FROM ethics_apikey WHERE name = 'other')",
    ],
)
def test_the_database_refuses(client_record, change: str):
    api_key_create(client=client_record, name="k")
    api_key_create(client=client_record, name="other")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE ethics_apikey SET {change} WHERE name = 'k'")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ethics_apikey SET revoked = true",
        "UPDATE ethics_apikey SET expiry_date = now()",
        "UPDATE ethics_apikey SET scopes = '{usage}'",
        "UPDATE ethics_apikey SET allowed_networks = '{192.0.2.0/24}'",
        "UPDATE ethics_apiclient SET is_active = false",
        "DELETE FROM ethics_apikey",
    ],
)
def test_a_verified_key_does_not_outlive_a_change_by_anybody(client_record, statement: str):
    _, text = api_key_create(client=client_record, name="k")
    assert status_of(text) == 200
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert status_of(text) in {401, 403}


def test_another_audience_counts_from_the_next_request_on(client_record, make_api_client):
    _, text = api_key_create(client=client_record, name="k")
    before = current_revisions().clients
    client_update(client=client_record, organisation="Synthetic", audience=Audience.COMMERCIAL, is_active=True)
    assert current_revisions().clients > before
    assert status_of(text) == 200


def test_a_verified_key_is_not_read_again(client_record):
    _, text = api_key_create(client=client_record, name="k")
    status_of(text)
    with CaptureQueriesContext(connection) as queries:
        status_of(text)
    # Django knows no text of a statement that the server keeps prepared, as that of an audit event.
    assert not [query["sql"] for query in queries if "ethics_apikey" in (query["sql"] or "")]


def test_last_use_is_written_once_in_a_while_and_invalidates_nothing(client_record):
    key, text = api_key_create(client=client_record, name="k")
    before = current_revisions()
    for _ in range(3):
        status_of(text)
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert timezone.now() - key.last_used_at < timedelta(minutes=1)
    assert current_revisions() == before


def test_the_documented_scopes_are_those_that_exist():
    document = (PROJECT_ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert {f"| `{scope.value}` | {meaning} |" for scope, meaning in SCOPE_MEANINGS.items()} <= set(
        document.splitlines()
    )
