"""The page of one event: its fields in words, its text, its proof, and what its request changed."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from ethics.audit import AuditContext, audit_context
from ethics.audit.daily_counts import ABSENT
from ethics.clients import client_create
from ethics.models import AuditEvent, GovernedItem
from ethics.policy import Audience, SacredStatus
from ethics.records import governance_record_save
from ethics.stewardship import item_set_status
from tests.factories import make_item

pytestmark = pytest.mark.django_db


def page(client: Client, event: AuditEvent) -> str:
    answer = client.get(reverse("desk:event", args=[event.event_id]))
    assert answer.status_code == 200
    return answer.content.decode()


def change_statement(text: str, **context: str) -> AuditEvent:
    """An officer changes the statement of an item, in a request of its own."""
    attribution = make_item().attribution
    attribution.statement = text
    with audit_context(AuditContext("mira", "community steward", reason="corrected by its community", **context)):
        governance_record_save(instance=attribution, changed_fields=["statement"], created=False)
    return AuditEvent.objects.filter(event_type="curation.changed").latest("pk")


def test_every_field_stands_there_in_words(officer: Client, serve) -> None:
    dispensary = client_create(organisation="Green Leaf", audience=Audience.COMMERCIAL)
    item = make_item()
    context = AuditContext("Green Leaf key", "commercial client", str(dispensary.public_id), "request-77")
    text = page(officer, serve(item.public_id, item.community.slug, context))
    for expected in (
        "A prediction was answered", "Green Leaf key", "commercial client", "Green Leaf", "request-77", "0" * 64,
        item.community.slug, str(item.public_id), "tk_to_genomic",
    ):  # fmt: skip
        assert expected in text, expected


def test_a_question_about_no_practice_says_so(officer: Client, refuse) -> None:
    text = page(officer, refuse(ABSENT))
    assert f"no such practice ({ABSENT})" in text
    assert reverse("desk:practice", args=[ABSENT]) not in text


def test_the_canonical_text_is_shown(officer: Client, serve) -> None:
    event = serve("item", "north")
    assert event.canonical.replace('"', "&quot;") in page(officer, event)


def test_an_event_without_a_leaf_says_that_it_is_not_sealed_yet(officer: Client, serve) -> None:
    assert "not sealed yet" in page(officer, serve("item", "north"))


def test_the_changes_of_its_request_are_joined_from_what_to_what(officer: Client) -> None:
    text = page(officer, change_statement("The new statement", request_id="request-1"))
    assert "Attributed to community of item" in text
    assert "The new statement" in text
    assert "mira" in text


def test_changes_of_another_request_are_not(officer: Client) -> None:
    first = change_statement("The first statement", request_id="request-1")
    change_statement("The second statement", request_id="request-2")
    assert "The second statement" not in page(officer, first)


def test_the_values_of_a_sacred_item_are_not_shown_though_they_were_open_once(officer: Client) -> None:
    event = change_statement("Once an open statement", request_id="request-1")
    item_set_status(item=GovernedItem.objects.get(), status=SacredStatus.SACRED)
    text = page(officer, event)
    assert "Once an open statement" not in text
    assert "The values may not be shown" in text


def test_an_unknown_event_is_absent(officer: Client) -> None:
    assert officer.get(reverse("desk:event", args=[uuid.uuid4()])).status_code == 404


def test_what_people_wrote_is_escaped(officer: Client, serve) -> None:
    text = page(officer, serve("item", "north", AuditContext("<b>bold</b>", "client")))
    assert "<b>bold" not in text
