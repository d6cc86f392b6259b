"""Searching the log: filters, pages, and what bad input gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.audit import AuditContext
from ethics.desk.event_pages import PAGE_SIZE
from ethics.models import SavedFilter
from tests.admin_people import make_person
from tests.factories import make_community, make_item

EVENTS = "/compliance/events/"


def found(client: Client, **terms: str) -> list:
    """The events of the first page."""
    answer = client.get(EVENTS, terms)
    assert answer.status_code == 200, answer.content.decode()
    return [event for event, *_ in answer.context["rows"]]


def test_the_newest_event_stands_first(officer: Client, serve) -> None:
    first, second = serve("one", "a"), serve("two", "a")
    assert [event.pk for event in found(officer)] == [second.pk, first.pk]


def test_events_are_found_by_what_they_name(officer: Client, serve, refuse) -> None:
    community, context = make_community(slug="north"), AuditContext("ann", "curator", request_id="request-1")
    served = serve("item-1", community.slug, context)
    refused = refuse("item-2", reasons=["named"])
    assert [event.pk for event in found(officer, community="north")] == [served.pk]
    assert [event.pk for event in found(officer, subject="item-2")] == [refused.pk]
    assert [event.pk for event in found(officer, actor="ann")] == [served.pk]
    assert [event.pk for event in found(officer, event_type="text.withheld")] == [refused.pk]
    assert [event.pk for event in found(officer, event_type="prediction.*")] == [served.pk]
    assert [event.pk for event in found(officer, refusal="named")] == [refused.pk]
    assert [event.pk for event in found(officer, request_id="request-1")] == [served.pk]
    assert found(officer, community="north", subject="item-2") == []


def test_a_practice_that_may_be_displayed_is_found_by_its_name(officer: Client, serve) -> None:
    item = make_item(display_label="A synthetic tea")
    served = serve(item.public_id, item.community.slug)
    assert [event.pk for event in found(officer, subject="a synthetic TEA")] == [served.pk]


def test_the_name_of_a_withheld_practice_is_unknown_like_any_other(officer: Client) -> None:
    make_item(display_label="A withheld tea", statement="")
    answers = [officer.get(EVENTS, {"subject": name}) for name in ("A withheld tea", "A made up tea")]
    assert [answer.status_code for answer in answers] == [400, 400]
    first, second = (answer.context["form"].errors["subject"] for answer in answers)
    assert first == second


def test_a_name_of_two_practices_asks_for_an_id(officer: Client) -> None:
    twins = [make_item(display_label="Twin tea") for _ in range(2)]
    answer = officer.get(EVENTS, {"subject": "Twin tea"})
    assert answer.status_code == 400
    assert all(str(item.public_id) in answer.content.decode() for item in twins)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-13-01"}, "until"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"community": "no-such"}, "community"),
        ({"client": "no-such"}, "client"),
        ({"event_type": "no.such"}, "event_type"),
        ({"actor": "a" * 151}, "actor"),
        ({"subject": "nul\x00"}, "subject"),
        ({"request_id": "r" * 65}, "request_id"),
    ],
)
def test_bad_input_is_told_at_its_field(terms, field: str, officer: Client) -> None:
    answer = officer.get(EVENTS, terms)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert f'id="search-{field}-error"' in answer.content.decode()


def test_every_fault_is_told_at_once(officer: Client) -> None:
    answer = officer.get(EVENTS, {"since": "yesterday", "community": "no-such"})
    assert set(answer.context["form"].errors) == {"since", "community"}


@pytest.mark.parametrize("cursor", ["forged", "WzEsMl0:1abc:xyz", "%00"])
def test_a_forged_cursor_is_refused_in_words(cursor: str, officer: Client) -> None:
    answer = officer.get(EVENTS, {"at": cursor})
    assert answer.status_code == 400
    assert "Begin with the newest events" in answer.content.decode()


def test_pages_bring_every_event_once_on_the_way_there_and_back(officer: Client, serve) -> None:
    expected = [serve("item", "a").pk for _ in range(2 * PAGE_SIZE + 5)][::-1]
    pages: list[list[int]] = []
    contexts: list[Any] = []
    cursor = ""
    while not contexts or cursor:
        contexts.append(officer.get(EVENTS, {"at": cursor}).context)
        pages.append([event.pk for event, *_ in contexts[-1]["rows"]])
        cursor = contexts[-1]["page"].older
    assert [pk for page in pages for pk in page] == expected
    back = officer.get(EVENTS, {"at": contexts[-1]["page"].newer}).context
    assert [event.pk for event, *_ in back["rows"]] == pages[1]
    assert officer.get(EVENTS, {"at": back["page"].newer}).context["page"].newer == ""


def test_an_event_that_comes_while_somebody_reads_moves_no_page(officer: Client, serve) -> None:
    oldest = serve("item", "a")
    for _ in range(PAGE_SIZE):
        serve("item", "a")
    older = officer.get(EVENTS).context["page"].older
    serve("item", "a")
    assert [event.pk for event, *_ in officer.get(EVENTS, {"at": older}).context["rows"]] == [oldest.pk]


def test_no_event_found_says_what_to_do(officer: Client) -> None:
    assert "No event passes these filters" in officer.get(EVENTS, {"actor": "nobody"}).content.decode()


def test_an_officer_keeps_a_filter_uses_it_and_removes_it(officer: Client, serve) -> None:
    serve("item", "a")
    officer.post("/compliance/filters/save/", {"name": "Served", "query": "event_type=prediction.served"})
    saved = SavedFilter.objects.get()
    assert (saved.owner.get_username(), saved.terms) == ("olga", {"event_type": "prediction.served"})
    assert '<a href="?event_type=prediction.served">Served</a>' in officer.get(EVENTS).content.decode()
    assert "Served" in officer.get("/compliance/filters/").content.decode()
    officer.post(reverse("desk:filter-remove", args=[saved.public_id]))
    assert not SavedFilter.objects.exists()
    assert [event.event_type for event in found(officer, event_type="filter.*")] == ["filter.removed", "filter.saved"]


def test_the_filter_of_another_officer_is_not_offered_and_cannot_be_removed(officer: Client) -> None:
    other = SavedFilter.objects.create(owner=make_person(COMPLIANCE_OFFICER), name="Theirs", terms={"actor": "x"})
    assert "Theirs" not in officer.get(EVENTS).content.decode()
    assert officer.post(reverse("desk:filter-remove", args=[other.public_id])).status_code == 404
    assert SavedFilter.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize(("name", "query"), [("", "actor=x"), ("n" * 81, "actor=x"), ("empty", "")])
def test_a_filter_without_name_or_terms_is_refused_in_words(name: str, query: str, officer: Client) -> None:
    answer = officer.post("/compliance/filters/save/", {"name": name, "query": query}, follow=True)
    assert answer.context["messages"]
    assert not SavedFilter.objects.exists()
