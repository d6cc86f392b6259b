"""Batches: each question is answered or refused, charged and recorded by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ethics.models import AuditEvent
from genomepath.api.batch import BatchView
from genomepath.api.questions import MOST_QUESTIONS
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db
URL = "/api/v1/predictions/batch/"


@pytest.fixture
def catalogue():
    return make_catalogue()


@pytest.fixture
def http(make_api_client):
    return make_api_client().http


@pytest.fixture
def still_clock(monkeypatch) -> None:
    """All within one second, and so within one minute."""
    monkeypatch.setattr("neurobotanica.throttling.time.time", lambda: 1_000_000.5)


def post(http, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return http.post(URL, body, format="json", headers=headers)


def day_left(response: Any) -> int:
    return int(response["RateLimit"].split('"day";r=')[1].split(";")[0])


def test_answers_are_those_of_the_single_endpoints_and_failures_stand_alone(catalogue, http):
    slug, symbol = catalogue.practices[0].slug, catalogue.targets[0].symbol
    questions = [{"practice": slug, "dose": "low", "k": 2}, {"target": "NOSUCH"}, {"target": symbol.lower()}, {"k": 1}]
    batch = json.loads(post(http, {"questions": questions}).content)
    assert [(result["index"], result["status"]) for result in batch["results"]] == [
        (0, 200),
        (1, 404),
        (2, 200),
        (3, 400),
    ]
    single = http.get(f"/api/v1/predictions/practices/{slug}/targets/?dose=low&k=2")
    assert batch["results"][0]["answer"] == json.loads(single.content)
    assert batch["failed"] == 2
    assert batch["results"][1]["problem"]["status"] == 404


def test_every_answered_or_refused_question_is_recorded(catalogue, http):
    post(http, {"questions": [{"practice": catalogue.practices[0].slug}, {"practice": "absent"}]})
    events = AuditEvent.objects.filter(event_type__startswith="prediction.").order_by("pk")
    assert [event.event_type for event in events] == ["prediction.served", "prediction.refused"]


def test_a_batch_counts_as_many_requests_as_it_holds_questions(catalogue, http):
    one = post(http, {"questions": [{"target": "NOSUCH"}]})
    three = post(http, {"questions": [{"target": "NOSUCH"}] * 3})
    assert day_left(one) - day_left(three) == 3


def test_the_largest_batch_fits_into_the_default_limits(catalogue, http, still_clock):
    response = post(http, {"questions": [{"target": "NOSUCH"}] * MOST_QUESTIONS})
    assert response.status_code == 200
    assert response["RateLimit"].startswith('"burst";r=59;t=1, "minute";r=500;')


def test_without_redis_a_batch_may_hold_as_many_questions_as_a_tenth_of_the_minute(
    catalogue, http, still_clock, settings
):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert post(http, {"questions": [{"target": "NOSUCH"}] * 61}).status_code == 429
    assert post(http, {"questions": [{"target": "NOSUCH"}] * 59}).status_code == 200


def test_a_batch_beyond_the_limit_is_refused_whole(catalogue, make_api_client, still_clock, settings):
    settings.API_REQUESTS_PER_MINUTE = 5
    http = make_api_client().http
    assert post(http, {"questions": [{"target": "NOSUCH"}] * 6}).status_code == 429
    assert not AuditEvent.objects.filter(event_type__startswith="prediction.").exists()


def test_a_repeated_batch_is_known_and_its_questions_are_not_charged_again(catalogue, http):
    body = {"questions": [{"target": catalogue.targets[0].symbol}] * 3}
    first, again = post(http, body, "order-0001"), post(http, body, "order-0001")
    assert not first.has_header("Idempotency-Replayed")
    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert day_left(first) - day_left(again) == 1


def test_an_idempotency_key_belongs_to_its_body_and_to_the_api_key(catalogue, http, make_api_client):
    body, other = {"questions": [{"target": "NOSUCH"}]}, {"questions": [{"target": "OTHER"}]}
    assert post(http, body, "order-0001").status_code == 200
    assert post(http, other, "order-0001").status_code == 422
    assert not post(make_api_client().http, other, "order-0001").has_header("Idempotency-Replayed")


def test_a_refused_batch_does_not_get_through_as_its_own_repetition(catalogue, make_api_client, still_clock, settings):
    settings.API_REQUESTS_PER_MINUTE = 5
    http, body = make_api_client().http, {"questions": [{"target": "NOSUCH"}] * 6}
    assert [post(http, body, "order-0001").status_code for _ in range(2)] == [429, 429]


def test_a_batch_that_is_answered_after_it_was_refused_is_a_first_one(
    catalogue, make_api_client, still_clock, settings
):
    http, body = make_api_client().http, {"questions": [{"target": "NOSUCH"}] * 6}
    settings.API_REQUESTS_PER_MINUTE = 5
    post(http, body, "order-0001")
    settings.API_REQUESTS_PER_MINUTE = 50
    answered = post(http, body, "order-0001")
    assert (answered.status_code, answered.has_header("Idempotency-Replayed")) == (200, False)


def test_another_body_that_came_meanwhile_under_the_same_key_is_refused(catalogue, http, monkeypatch):
    def send_other(view: BatchView, items: int) -> None:
        monkeypatch.undo()
        post(http, {"questions": [{"target": "OTHER"}] * 2}, "order-0001")

    monkeypatch.setattr(BatchView, "charge", send_other)
    assert post(http, {"questions": [{"target": "NOSUCH"}] * 2}, "order-0001").status_code == 422


def test_without_redis_a_repeated_batch_is_answered_as_a_first_one(catalogue, http, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    body = {"questions": [{"target": "NOSUCH"}]}
    assert [post(http, body, "order-0001").has_header("Idempotency-Replayed") for _ in range(2)] == [False, False]


def test_without_a_model_the_batch_is_503(http):
    assert post(http, {"questions": [{"target": "NOSUCH"}]}).status_code == 503


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space 1", "naïve-key-1"])
def test_a_malformed_idempotency_key_is_refused(http, key: str):
    response = post(http, {"questions": [{"target": "NOSUCH"}]}, key)
    assert json.loads(response.content)["errors"][0]["parameter"] == "Idempotency-Key"


@pytest.mark.parametrize(
    "body",
    [{}, [], "text", {"questions": []}, {"questions": {}}, {"questions": [{}] * 101}, {"questions": [{}], "a": 1}],
)
def test_a_bad_batch_is_refused_whole(http, body: Any):
    assert post(http, body).status_code == 400


def test_a_whole_number_may_be_written_with_a_point_as_in_json_schema(catalogue, http):
    questions = [{"target": catalogue.targets[0].symbol, "k": number} for number in (2, 2.0, 2e0)]
    results = json.loads(post(http, {"questions": questions}).content)["results"]
    assert [result["answer"]["k"] for result in results] == [2, 2, 2]


@pytest.mark.parametrize(
    "question",
    [None, 1, "a", [], {}, {"practice": "a", "target": "b"}, {"practice": 1}, {"practice": ""}, {"practice": "a\x00"},
     {"practice": "x" * 121}, {"target": "A", "dose": "low"}, {"target": "A", "k": "3"}, {"target": "A", "k": 1.5},
         {"target": "A", "k": 1e30}],
)  # fmt: skip
def test_a_bad_question_fails_alone_with_its_reason(catalogue, http, question: Any):
    good = {"practice": catalogue.practices[0].slug}
    bad, answered = json.loads(post(http, {"questions": [question, good]}).content)["results"]
    assert (bad["status"], answered["status"]) == (400, 200)
    assert bad["problem"]["errors"]
