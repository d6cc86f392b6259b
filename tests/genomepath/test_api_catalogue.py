"""Catalogue lists."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from ethics.models import AuditEvent
from tests.factories import make_practice, make_target

pytestmark = pytest.mark.django_db


def test_practices_are_listed_with_attribution_and_recorded(make_api_client):
    practice = make_practice(title="Synthetic infusion")
    make_practice(title="Other")
    response = make_api_client().http.get("/api/v1/practices/", {"search": "infusion"})

    (listed,) = json.loads(response.content)["results"]
    assert listed["slug"] == practice.slug
    assert listed["attribution"]["community"]["slug"] == practice.item.community.slug
    event = AuditEvent.objects.get(event_type="catalogue.listed")
    assert event.subject_ids == [str(practice.item.public_id)]


def test_targets_are_listed_in_pages_that_lead_to_each_other(make_api_client):
    for _ in range(60):
        make_target()
    client = make_api_client()
    first = json.loads(client.http.get("/api/v1/targets/").content)
    second = json.loads(client.http.get(first["next"]).content)
    symbols = [entry["symbol"] for entry in first["results"] + second["results"]]
    assert (len(first["results"]), len(symbols), len(set(symbols))) == (50, 60, 60)
    assert second["next"] is None


@pytest.mark.parametrize("position", ["abc", "9" * 40, "\x00", "1;drop"])
def test_forged_cursor_is_refused(make_api_client, position):
    cursor = quote(base64.b64encode(f"p={quote(position)}".encode()).decode())
    response = make_api_client().http.get(f"/api/v1/targets/?cursor={cursor}")
    assert response.status_code == 400
    assert json.loads(response.content)["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("query", ["search=%00", f"search={'a' * 101}", "page=2"])
def test_bad_list_parameter_is_refused(make_api_client, query):
    assert make_api_client().http.get(f"/api/v1/practices/?{query}").status_code == 400
