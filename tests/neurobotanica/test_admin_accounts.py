"""Accounts and roles are given in the admin, by superusers alone, with an event each."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from ethics.admin.visibility import COMPLIANCE_OFFICER, CURATOR
from ethics.models import AuditEvent
from tests.admin_forms import form_data
from tests.admin_people import make_person

pytestmark = pytest.mark.django_db
PHRASE = "quiet-harbour-91-lanterns"


def changes() -> list[tuple[str, list[str]]]:
    events = AuditEvent.objects.filter(event_type="account.changed").order_by("id")
    return [(event.details["action"], event.details["fields"]) for event in events]


def test_an_account_is_added_and_given_a_role(admin_client: Client) -> None:
    page = reverse("admin:auth_user_add")
    form = form_data(admin_client.get(page)) | {"username": "new", "password1": PHRASE, "password2": PHRASE}
    assert admin_client.post(page, form).status_code == 302
    person = User.objects.get(username="new")
    page = reverse("admin:auth_user_change", args=[person.pk])
    role = Group.objects.get(name=CURATOR)
    form = form_data(admin_client.get(page)) | {"is_staff": "on", "groups": [role.pk]}
    assert admin_client.post(page, form).status_code == 302
    assert list(person.groups.all()) == [role]
    assert changes()[0][0] == "added"
    assert changes()[1:] == [("changed", ["groups", "is_staff"]), ("changed", [f"role {CURATOR}"])]


def test_a_password_set_by_an_administrator_leaves_an_event_without_it(admin_client: Client) -> None:
    person = make_person(CURATOR)
    page = reverse("admin:auth_user_password_change", args=[person.pk])
    mismatch = admin_client.post(page, {"usable_password": "true", "password1": PHRASE, "password2": "other"})
    assert mismatch.status_code == 200
    assert changes() == []
    admin_client.post(page, {"usable_password": "true", "password1": PHRASE, "password2": PHRASE})
    person.refresh_from_db()
    assert person.check_password(PHRASE)
    assert changes() == [("changed", ["password"])]
    assert not AuditEvent.objects.filter(canonical__contains=PHRASE).exists()


def test_accounts_and_roles_cannot_be_deleted_and_roles_not_edited(admin_client: Client) -> None:
    person, role = make_person(CURATOR), Group.objects.get(name=CURATOR)
    assert admin_client.post(reverse("admin:auth_user_delete", args=[person.pk]), {"post": "yes"}).status_code == 403
    assert admin_client.post(reverse("admin:auth_group_change", args=[role.pk]), {"name": "x"}).status_code == 403
    assert admin_client.get(reverse("admin:auth_group_add")).status_code == 403


@pytest.mark.parametrize("role", [CURATOR, COMPLIANCE_OFFICER])
def test_no_role_opens_the_accounts(role: str, client: Client) -> None:
    client.force_login(make_person(role))
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403
    assert client.get(reverse("admin:auth_group_changelist")).status_code == 403
