"""Catalogue lists."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from correlations.models import GenomicTarget
from ethics.models import AuditEvent
from ethics.policy import SacredStatus
from ethics.stewardship import item_set_status
from tests.factories import make_correlation, make_evidence, make_practice, make_synergy, make_target

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


@pytest.mark.parametrize(
    "cursor", ["", "abc", base64.b64encode(b"p=1").decode(), "A" * 40, "\x00", "\u0661" * 40, "1;drop"]
)
def test_forged_cursor_is_refused(make_api_client, cursor):
    response = make_api_client().http.get("/api/v1/targets/", {"cursor": cursor})
    assert response.status_code == 400
    assert json.loads(response.content)["errors"][0]["parameter"] == "cursor"


def test_a_cursor_tells_no_number_of_a_row_and_leads_nowhere_but_in_its_list(make_api_client):
    for _ in range(51):
        make_target()
    http = make_api_client().http
    (cursor,) = parse_qs(urlsplit(json.loads(http.get("/api/v1/targets/").content)["next"]).query)["cursor"]
    last_shown = GenomicTarget.objects.order_by("id")[49].pk
    assert all(str(last_shown).encode() not in text for text in (cursor.encode(), base64.urlsafe_b64decode(cursor)))
    assert http.get("/api/v1/targets/", {"cursor": cursor}).status_code == 200
    assert http.get("/api/v1/practices/", {"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("query", ["search=%00", f"search={'a' * 101}", "page=2"])
def test_bad_list_parameter_is_refused(make_api_client, query):
    assert make_api_client().http.get(f"/api/v1/practices/?{query}").status_code == 400


def rows(make_api_client, url: str, **query: str) -> Any:
    response = make_api_client().http.get(f"/api/v1/{url}/", query)
    assert response.status_code == 200
    return json.loads(response.content)["results"]


def test_correlations_are_approved_ones_with_attribution_and_filters(make_api_client):
    practice, target = make_practice(), make_target()
    make_correlation(practice, target, dose="low")
    make_correlation(practice, make_target(), dose="high")
    make_correlation(practice, target, dose="medium", status="draft")
    assert len(rows(make_api_client, "correlations", practice=practice.slug)) == 2
    (row,) = rows(make_api_client, "correlations", target=target.symbol.lower(), dose="low")
    assert (row["practice"]["slug"], row["target"]["symbol"]) == (practice.slug, target.symbol)
    assert row["attribution"]["community"]["slug"] == practice.item.community.slug
    assert rows(make_api_client, "correlations", practice="no-such-practice") == []


def test_dosage_profiles_are_listed_with_attribution_and_filters(make_api_client):
    practice = make_practice()
    make_practice()
    listed = rows(make_api_client, "dosage-profiles", practice=practice.slug)
    assert [row["level"] for row in listed] == ["low", "medium", "high"]
    assert all(row["attribution"]["statement"] for row in listed)
    assert len(rows(make_api_client, "dosage-profiles", level="low", basis="modelled")) == 2


def test_evidence_stands_where_it_stands_with_no_practice_or_with_one_that_may_be_shown(make_api_client):
    open_practice, hidden = make_practice(), make_practice()
    shared, free = make_evidence(reference="shared"), make_evidence(reference="free", verified=False)
    for practice in (open_practice, hidden):
        practice.sources.add(shared)
    item_set_status(item=hidden.item, status=SacredStatus.SACRED)
    listed = {row["reference"] for row in rows(make_api_client, "evidence")}
    assert listed == {"shared", "free", *open_practice.sources.values_list("reference", flat=True)}
    assert [row["reference"] for row in rows(make_api_client, "evidence", verified="false")] == [free.reference]
    assert [row["reference"] for row in rows(make_api_client, "evidence", search="SHAR")] == ["shared"]


def test_synergies_are_listed_for_a_target(make_api_client):
    first, second, third = make_target(), make_target(), make_target()
    make_synergy(first, second)
    make_synergy(second, third)
    assert len(rows(make_api_client, "synergies")) == 2
    (row,) = rows(make_api_client, "synergies", target=first.symbol)
    assert row["targets"] == sorted([first.symbol, second.symbol])


def test_practices_are_narrowed_by_tradition_and_documented_use(make_api_client):
    practice = make_practice(tradition="Tradition of reeds", indications=("use one", "use two"))
    make_practice()
    for query in ({"tradition": "tradition of REEDS"}, {"condition": "Use Two"}):
        assert [row["slug"] for row in rows(make_api_client, "practices", **query)] == [practice.slug]


def test_reading_public_lists_is_recorded_as_such(make_api_client):
    make_target()
    rows(make_api_client, "targets")
    event = AuditEvent.objects.get(event_type="catalogue.read")
    assert (event.details, event.community_ids) == ({"what": "targets", "count": 1}, [])


@pytest.mark.parametrize(
    "query",
    ["correlations/?dose=huge", "correlations/?direction=up", "correlations/?quality=best", "correlations/?practice=%00",
     "dosage-profiles/?basis=guess", "evidence/?verified=yes", "evidence/?level=top", f"synergies/?target={'a' * 301}",
     "practices/?tradition=a&tradition=b"],
)  # fmt: skip
def test_bad_filter_is_refused(make_api_client, query):
    assert make_api_client().http.get(f"/api/v1/{query}").status_code == 400
