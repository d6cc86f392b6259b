"""The attribution history of a practice."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from ethics.desk.attribution_history import AttributionHistory, Statement
from ethics.models import AuditEvent, GovernedItem, ItemLabel
from ethics.policy import SacredStatus
from ethics.records import governance_record_save
from ethics.stewardship import item_set_status
from tests.admin_people import make_label
from tests.factories import make_item

pytestmark = pytest.mark.django_db


def history(client: Client, item: GovernedItem):
    answer = client.get(reverse("desk:practice", args=[item.public_id]))
    assert answer.status_code == 200
    return answer


def restate(item: GovernedItem, text: str) -> None:
    item.attribution.statement = text
    governance_record_save(instance=item.attribution, changed_fields=["statement"], created=False)


def test_each_version_of_the_statement_stands_there_in_order(officer: Client) -> None:
    item = make_item(statement="First")
    restate(item, "Second")
    statements = history(officer, item).context["history"].statements
    assert [(entry.number, entry.text) for entry in statements] == [(1, "First"), (2, "Second")]


def test_labels_put_on_and_taken_off_are_told(officer: Client) -> None:
    item = make_item()
    entry = ItemLabel.objects.create(item=item, label=make_label(), community_text="with care")
    entry.delete()
    assert [change.what for change in history(officer, item).context["history"].labels] == ["put on", "taken off"]


def test_only_events_that_name_the_practice_are_listed(officer: Client, serve, refuse) -> None:
    item, other = make_item(), make_item()
    served, refused = serve(item.public_id, item.community.slug), refuse(item.public_id)
    serve(other.public_id, other.community.slug)
    assert [event.pk for event, *_ in history(officer, item).context["rows"]] == [refused.pk, served.pk]


def test_an_answer_is_joined_to_the_statement_that_held_then() -> None:
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    first, second = (Statement(n, moments[n], "text", "", "mira") for n in (1, 2))
    history = AttributionHistory(GovernedItem(), "", False, [first, second], [])
    assert [history.statement_at(moment) for moment in moments] == [None, first, second, second]


def test_a_sacred_item_shows_no_text_and_opening_it_is_recorded(officer: Client) -> None:
    item = make_item(statement="Once an open statement", display_label="Once an open name")
    item_set_status(item=item, status=SacredStatus.SACRED)
    text = history(officer, item).content.decode()
    assert "Once an open" not in text
    assert AuditEvent.objects.get(event_type="sacred.viewed").actor_name == "olga"


def test_a_practice_that_may_not_be_displayed_has_no_name(officer: Client) -> None:
    item = make_item(display_label="An unattributed tea", statement="")
    assert "An unattributed tea" not in history(officer, item).content.decode()


def test_another_subject_leads_to_its_events(officer: Client) -> None:
    some_id = uuid.uuid4()
    answer = officer.get(reverse("desk:practice", args=[some_id]))
    assert (answer.status_code, answer["Location"]) == (302, f"/compliance/events/?subject={some_id}")


def test_a_forged_cursor_is_refused_in_words(officer: Client) -> None:
    answer = officer.get(reverse("desk:practice", args=[make_item().public_id]), {"at": "forged"})
    assert answer.status_code == 400


def test_the_why_page_the_statement_and_the_withdrawals_are_linked(officer: Client) -> None:
    item = make_item()
    text = history(officer, item).content.decode()
    for address in (
        reverse("admin:ethics_governeditem_why", args=[item.pk]),
        reverse("community-statement", args=[item.community.slug]),
        reverse("admin:ethics_withdrawalcase_changelist"),
    ):
        assert address in text
