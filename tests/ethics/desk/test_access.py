"""The desk is there for officers; for everybody else it is not, whatever they send."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.models import AuditEvent
from neurobotanica.roles import ROLES
from tests.admin_people import make_person

pytestmark = pytest.mark.django_db
SOME_ID = uuid.UUID(int=7)
PAGES: dict[str, list[Any]] = {
    "overview": [], "events": [], "download": ["csv"], "event": [SOME_ID], "practice": [SOME_ID], "alerts": [],
    "alert": ["sacred:x"], "filters": [], "filter-save": [], "filter-remove": [SOME_ID],
}  # fmt: skip
ADDRESSES = [reverse(f"desk:{name}", args=arguments) for name, arguments in PAGES.items()]
OTHERS = sorted(set(ROLES) - {COMPLIANCE_OFFICER})


def assert_absent(client: Client) -> None:
    """Every page answers as an address that does not exist."""
    for address in ADDRESSES:
        for method in (client.get, client.post, client.put):
            assert method(address).status_code == 404, (method, address)


@pytest.mark.parametrize("role", OTHERS)
def test_another_role_finds_no_desk(role: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person(role))
    assert_absent(client)


def test_nobody_signed_in_finds_no_desk_and_no_way_to_a_login() -> None:
    assert_absent(Client(enforce_csrf_checks=True))


def test_a_superuser_needs_the_role_as_well() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert_absent(client)


def test_an_officer_outside_the_staff_finds_no_desk() -> None:
    client, person = Client(), make_person(COMPLIANCE_OFFICER)
    person.is_staff = False
    person.save()
    client.force_login(person)
    assert_absent(client)


def test_an_officer_is_let_in(officer: Client) -> None:
    for name in ("overview", "events", "alerts", "filters"):
        assert officer.get(reverse(f"desk:{name}")).status_code == 200


def test_a_forged_request_of_an_officer_is_refused_and_writes_nothing(db) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_person(COMPLIANCE_OFFICER))
    before = AuditEvent.objects.count()
    assert client.post(reverse("desk:filter-save"), {"name": "x", "query": "actor=x"}).status_code == 403
    assert AuditEvent.objects.count() == before


def test_pages_allow_no_script_and_are_not_kept_by_caches(officer: Client) -> None:
    answer = officer.get(reverse("desk:overview"))
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store, private"
    assert b"<script" not in answer.content
    assert b"style=" not in answer.content
