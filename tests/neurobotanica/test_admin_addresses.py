"""An address of the admin that names no record is answered as such, whatever stands in it."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client

pytestmark = pytest.mark.django_db
NO_RECORDS = ("abc", "987654", "1e3", "-1", "9" * 40, "_00", "_5F", "%00")


@pytest.fixture
def superuser(client: Client) -> Client:
    """In every role as well: some buttons are for officers and stewards alone."""
    person = User.objects.create_superuser("superuser")
    person.groups.set(Group.objects.all())
    client.force_login(person)
    client.raise_request_exception = False
    return client


def pages_of_a_record() -> list[str]:
    """The addresses of every model's pages, its buttons included, with a place for the record; but for deletion, which is
    refused before anybody looks for the record."""
    return [
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/{pattern.pattern}"
        for model, model_admin in admin.site._registry.items()
        for pattern in model_admin.get_urls()
        if "object_id" in pattern.pattern.converters and not str(pattern.pattern).endswith("/delete/")
    ]


@pytest.mark.parametrize("name", NO_RECORDS)
def test_a_page_of_no_record_is_absent(superuser: Client, name: str) -> None:
    pages = pages_of_a_record()
    answers = {page: superuser.get(page.replace("<path:object_id>", name)).status_code for page in pages}
    assert {page: status for page, status in answers.items() if status not in {302, 404}} == {}
    assert len([page for page in pages if page.endswith(("/cancel/", "/replay/", "/dismiss/"))]) == 3
