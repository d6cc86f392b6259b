"""`manage.py create_api_key`: a key that works, shown once."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from rest_framework.test import APIClient

from ethics.models import ApiClient, ApiKey, AuditEvent

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_printed_key_opens_the_api():
    http = APIClient()
    http.credentials(HTTP_AUTHORIZATION=f"Api-Key {create('Dispensary One')}")
    assert http.get("/api/v1/targets/").status_code == 200


def test_client_is_commercial_unless_said_otherwise():
    create("Dispensary One")
    create("Institute", "--audience", "research")
    assert dict(ApiClient.objects.values_list("organisation", "audience")) == {
        "Dispensary One": "commercial",
        "Institute": "research",
    }


def test_second_key_belongs_to_the_same_client():
    assert create("Dispensary One") != create("Dispensary One", "--expires-days", "30")
    assert ApiClient.objects.count() == 1
    assert ApiKey.objects.exclude(expiry_date=None).count() == 1


def test_key_is_stored_and_recorded_without_its_text():
    text = create("Dispensary One")
    assert not ApiKey.objects.filter(hashed_key__contains=text).exists()
    events = AuditEvent.objects.filter(event_type__in=["client.created", "api_key.created"])
    assert events.count() == 2
    assert not [event for event in events if text in event.canonical]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("",),
        ("  ",),
        ("x" * 201,),
        ("a\x00b",),
        ("Dispensary", "--audience", "platform"),
        ("Dispensary", "--expires-days", "0"),
        ("Dispensary", "--expires-days", "-3"),
        ("Dispensary", "--expires-days", "99999999999"),
        ("Dispensary", "--expires-days", "soon"),
        ("Dispensary", "--scope", "everything"),
        ("Dispensary", "--network", "192.0.2.1/24"),
        ("Dispensary", "--per-minute", "0"),
        ("Dispensary", "--rotate", "unknown1"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_made(arguments):
    with pytest.raises(CommandError):
        create(*arguments)
    assert not ApiClient.objects.exists()


def test_audience_of_an_existing_client_is_not_changed():
    create("Dispensary One")
    with pytest.raises(CommandError, match="exists with the audience"):
        create("Dispensary One", "--audience", "research")


def test_scopes_networks_and_limits_are_taken_from_the_options():
    create("Till", "--scope", "text", "--scope", "predictions", "--network", "192.0.2.0/24", "--per-day", "9")
    key = ApiKey.objects.get()
    assert (key.scopes, key.allowed_networks) == (["predictions", "text"], ["192.0.2.0/24"])
    assert (key.requests_per_minute, key.requests_per_day) == (None, 9)


def test_a_key_is_rotated_by_its_prefix():
    create("Till", "--scope", "text")
    old = ApiKey.objects.get()
    successor = ApiKey.objects.get_from_key(create("Till", "--rotate", old.prefix, "--overlap-hours", "1"))
    assert (successor.replaces, successor.scopes) == (old, ["text"])


def test_rotation_takes_no_new_settings():
    create("Till")
    with pytest.raises(CommandError, match="keeps the settings"):
        create("Till", "--rotate", ApiKey.objects.get().prefix, "--scope", "text")
