"""Each role can do in the real admin what the table says, and nothing else."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from neurobotanica.roles import APP_LABELS, ROLES, create_roles, permissions_of, remove_roles
from tests.admin_people import make_person, records_of_every_model

pytestmark = pytest.mark.django_db

MODELS = [
    model
    for label in APP_LABELS
    for model in apps.get_app_config(label).get_models()
    if not hasattr(model, "pgh_tracked_model")
]
# A permission alone does not open these pages: the records are written by services behind buttons, or never by hand.
NO_ADD_PAGE = {"genomepath.trainingrun", "ethics.itemlabel", "correlations.correlationevidence"}
NO_CHANGE_PAGE = {
    "ethics.consent",
    "ethics.statusloweringrequest",
    "ethics.apikey",
    "ethics.itemlabel",
    "correlations.quarantinedrow",
    "correlations.correlationevidence",
    "genomepath.trainingrun",
    "genomepath.modelversion",
}
NO_DELETE_PAGE = {"ethics.itemlabel", "correlations.correlationevidence"}


def test_the_migration_gave_each_role_exactly_the_permissions_of_the_table() -> None:
    for role in ROLES:
        granted = set(Permission.objects.filter(group__name=role).values_list("content_type__app_label", "codename"))
        assert granted == set(permissions_of(role)), role


def test_the_roles_can_be_taken_back_and_made_again() -> None:
    remove_roles(apps)
    assert not Group.objects.filter(name__in=ROLES).exists()
    create_roles(apps)
    assert Group.objects.filter(name__in=ROLES).count() == len(ROLES)


def test_the_migration_depends_on_every_app_whose_permissions_it_grants() -> None:
    migration = importlib.import_module("neurobotanica.migrations.0001_roles").Migration
    assert {*APP_LABELS, "auth", "contenttypes"} <= {app for app, _ in migration.dependencies}


def test_every_model_has_an_admin_page() -> None:
    missing = [model._meta.label for model in MODELS if not admin.site.is_registered(model)]
    assert missing == []


def test_the_key_page_of_the_library_is_not_offered() -> None:
    from rest_framework_api_key.models import APIKey

    assert not admin.site.is_registered(APIKey)


@pytest.fixture
def records() -> dict[str, Model]:
    return records_of_every_model()


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_opens_only_the_pages_that_the_table_names(role: str, records, client: Client) -> None:
    client.force_login(make_person(role))
    wrong = []
    for model in MODELS:
        label = model._meta.label_lower
        letters = ROLES[role].get(label, "")
        expected = {
            "view": "v" in letters,
            "add": "a" in letters and label not in NO_ADD_PAGE,
            "change": "c" in letters and label not in NO_CHANGE_PAGE,
            "delete": "d" in letters and label not in NO_DELETE_PAGE,
        }
        found = _found(client, model, records[label])
        wrong += [(label, act, found[act]) for act in expected if found[act] != expected[act]]
    assert wrong == []


def test_a_person_without_a_role_sees_no_model(client: Client) -> None:
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(reverse("admin:index")).context["app_list"] == []


def test_somebody_outside_the_staff_is_sent_to_the_login(client: Client) -> None:
    client.force_login(User.objects.create_user("outsider"))
    assert client.get(reverse("admin:index")).status_code == 302


def _found(client: Client, model, record) -> dict[str, bool]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    listed = client.get(reverse(f"{name}_changelist"))
    opened = client.get(reverse(f"{name}_change", args=[record.pk]))
    assert listed.status_code == opened.status_code or listed.status_code in (200, 403)
    return {
        "view": listed.status_code == 200 and opened.status_code == 200,
        "add": client.get(reverse(f"{name}_add")).status_code == 200,
        "change": opened.status_code == 200 and b'name="_save"' in opened.content,
        "delete": client.get(reverse(f"{name}_delete", args=[record.pk])).status_code == 200,
    }
