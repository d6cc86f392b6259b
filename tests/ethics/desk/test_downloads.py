"""What an officer takes away is exactly what the filters let through, and the log says that it was taken."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from ethics.audit import AuditContext
from ethics.desk import downloads, pack_download
from ethics.models import AuditEvent
from tests.factories import make_community

NORTH = {"community": "north"}


@pytest.fixture
def events(serve) -> list[AuditEvent]:
    make_community(slug="north")
    return [serve(f"item-{number}", "north" if number % 2 else "south") for number in range(9)]


def download(client: Client, form: str, terms: dict[str, str]) -> str:
    answer: Any = client.get(f"/compliance/events/download/{form}/", terms)
    assert answer.status_code == 200
    assert f".{form}" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("terms", [NORTH, {}, {"event_type": "prediction.served", "subject": "item-3"}, {"actor": "x"}])
def test_a_download_holds_exactly_what_the_page_lists(terms, officer: Client, events, monkeypatch) -> None:
    monkeypatch.setattr(downloads, "_BATCH", 2)
    listed = [str(event.event_id) for event, *_ in officer.get("/compliance/events/", terms).context["rows"]]
    in_json = [entry["event_id"] for entry in json.loads(download(officer, "json", terms))]
    assert in_json == listed
    in_csv = [row["event_id"] for row in csv.DictReader(io.StringIO(download(officer, "csv", terms)))]
    # The download before is an event by now.
    taken = [
        str(key) for key in AuditEvent.objects.filter(event_type="log.downloaded").values_list("event_id", flat=True)
    ]
    assert [key for key in in_csv if key not in taken] == listed


def test_the_canonical_text_is_given_byte_for_byte(officer: Client, events) -> None:
    given = {entry["event_id"]: entry["canonical"] for entry in json.loads(download(officer, "json", NORTH))}
    assert given == {str(event.event_id): event.canonical for event in events[1::2]}


def test_no_cell_is_a_formula(officer: Client, serve) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1"]
    for name in names:
        serve("item", "north", AuditContext(name, "client"))
    rows = list(csv.DictReader(io.StringIO(download(officer, "csv", {}))))
    assert [row["actor"] for row in rows] == [f"'{name}" for name in reversed(names)]


def test_the_log_says_what_was_taken_without_the_name_of_a_person(officer: Client, events) -> None:
    download(officer, "csv", {**NORTH, "actor": "ann of the north"})
    event = AuditEvent.objects.get(event_type="log.downloaded")
    assert event.actor_name == "olga"
    assert event.details == {"form": "csv", "filters": ["actor", "community=north"]}
    assert "ann of the north" not in event.canonical


def test_a_bad_filter_is_refused_and_nothing_is_taken(officer: Client, events) -> None:
    answer = officer.get("/compliance/events/download/csv/", {"since": "yesterday"})
    assert answer.status_code == 400
    assert not AuditEvent.objects.filter(event_type="log.downloaded").exists()


def test_an_unknown_form_is_absent(officer: Client) -> None:
    assert officer.get("/compliance/events/download/xls/").status_code == 404


def test_more_events_than_a_request_can_pack_are_refused_in_words(officer: Client, events, monkeypatch) -> None:
    monkeypatch.setattr(pack_download, "MOST_EVENTS", 3)
    answer = officer.get("/compliance/events/download/pack/", NORTH)
    assert answer.status_code == 400
    assert "narrow the filters" in answer.content.decode()


def test_a_pack_of_what_is_not_sealed_is_refused_in_words(officer: Client, events) -> None:
    answer = officer.get("/compliance/events/download/pack/", NORTH)
    assert answer.status_code == 400
    assert "Nothing of the log is sealed yet" in answer.content.decode()
