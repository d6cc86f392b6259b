"""One answer names everything that is wrong with a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db

PREDICTIONS = "/api/v1/predictions"


@pytest.fixture
def http(make_api_client):
    make_catalogue()
    return make_api_client().http


def refused(response: Any) -> list[str]:
    """The names in a refusal, in their order."""
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    errors = json.loads(response.content)["errors"]
    assert all(entry["detail"] for entry in errors)
    return [entry["parameter"] for entry in errors]


@pytest.mark.parametrize(
    ("address", "parameters"),
    [
        (f"{PREDICTIONS}/practices/any/targets/?dose=huge&k=0", ["k", "dose"]),
        (f"{PREDICTIONS}/practices/any/targets/?other=1&dose=huge&k=0&another=2", ["other", "another", "k", "dose"]),
        (f"{PREDICTIONS}/practices/any/targets/?k=1&k=0&dose=huge", ["k", "dose"]),
        (f"{PREDICTIONS}/targets/any/practices/?dose=low&k=0", ["dose", "k"]),
        (f"{PREDICTIONS}/practices/any/targets/any/explanation/?k=1&dose=huge", ["k", "dose"]),
        ("/api/v1/usage/?from=yesterday&to=tomorrow&other=1", ["other", "to", "from"]),
        ("/api/v1/practices/?tradition=%00&condition=%00&cursor=x", ["cursor", "tradition", "condition"]),
        ("/api/v1/targets/?search=%00&cursor=x&other=1", ["other", "cursor", "search"]),
        ("/api/v1/correlations/?dose=huge&direction=up&quality=none&other=1", ["other", "dose", "direction", "quality"]),
        ("/api/v1/correlations/?practice=%00&target=%00&cursor=x", ["cursor", "practice", "target"]),
        ("/api/v1/dosage-profiles/?practice=%00&level=huge&basis=none", ["practice", "level", "basis"]),
        ("/api/v1/evidence/?search=%00&target=%00&level=none&verified=1", ["search", "target", "level", "verified"]),
        ("/api/v1/synergies/?target=%00&cursor=x", ["cursor", "target"]),
    ],
)  # fmt: skip
def test_every_bad_parameter_of_a_request_is_named(http, address: str, parameters: list[str]):
    assert refused(http.get(address)) == parameters


@pytest.mark.parametrize(
    ("address", "body", "members"),
    [
        ("texts/targets", {"dose": "huge", "k": 0}, ["text", "k", "dose"]),
        ("texts/targets", {"text": " ", "other": 1, "k": "2"}, ["other", "text", "k"]),
        ("descriptions/practices", {"name": "", "pathways": "one", "tissues": [1]}, ["name", "pathways", "tissues"]),
        ("descriptions/practices", {"diseases": {}, "k": 0, "other": 1}, ["other", "", "diseases", "k"]),
        ("batch", {"questions": [], "other": 1}, ["other", "questions"]),
    ],
)  # fmt: skip
def test_every_bad_member_of_a_body_is_named(http, address: str, body: dict[str, Any], members: list[str]):
    assert refused(http.post(f"{PREDICTIONS}/{address}/", body, format="json")) == members


def test_a_bad_body_and_a_bad_idempotency_key_are_named_together(http):
    headers = {"Idempotency-Key": "short"}
    response = http.post(f"{PREDICTIONS}/batch/", {"other": 1}, format="json", headers=headers)
    assert refused(response) == ["other", "questions", "Idempotency-Key"]


@pytest.mark.parametrize(
    ("question", "members"),
    [
        ({"practice": "", "dose": "huge", "k": 0}, ["practice", "k", "dose"]),
        ({"target": 1, "dose": "low", "k": 0}, ["dose", "target", "k"]),
        ({"text": "", "dose": "huge", "k": 0, "other": 1}, ["other", "text", "k", "dose"]),
        ({"practice": "a", "target": "b"}, [""]),
    ],
)
def test_every_bad_member_of_a_question_in_a_batch_is_named(http, question: dict[str, Any], members: list[str]):
    response = http.post(f"{PREDICTIONS}/batch/", {"questions": [question]}, format="json")
    (result,) = json.loads(response.content)["results"]
    assert result["status"] == 400
    assert [entry["parameter"] for entry in result["problem"]["errors"]] == members
