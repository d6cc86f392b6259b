"""Whoever asks for what may not be used learns nothing: the answer is that for what does not exist."""

from __future__ import annotations

import pytest
from django.urls import reverse

from ethics.policy import Audience
from tests.factories import make_model_version, make_practice, make_target, publish
from tests.governance.canaries import KINDS, plant
from tests.governance.surfaces import leaks, response_bytes

pytestmark = pytest.mark.django_db
# They count requests and name them; nothing else may differ.
COUNTED = ("X-Request-ID", "RateLimit")
AUDIENCES = [Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY]


def _comparable(response, name: str) -> bytes:
    for header in COUNTED:
        if header in response:
            response[header] = "..."
    return response_bytes(response).replace(name.encode(), b"...")


@pytest.fixture
def hidden(request):
    """A practice of one kind that may not be used, among published predictions."""
    target, shown = make_target(), make_practice()
    planted = plant(request.param, target)
    publish(make_model_version(), [planted.practice, shown], [target])
    return planted


@pytest.mark.parametrize("hidden", KINDS, indirect=True)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_hidden_and_absent_answers_are_equal_byte_by_byte(hidden, audience, make_api_client) -> None:
    http = make_api_client(audience).http
    for method, query in ((http.get, ""), (http.head, ""), (http.get, "?dose=low&k=3")):
        answers = []
        for slug in (hidden.practice.slug, "no-such-practice"):
            response = method(reverse("api:practice-targets", args=[slug]) + query)
            assert response.status_code == 404
            assert leaks({"answer": response_bytes(response)}, hidden.canaries) == []
            answers.append(_comparable(response, slug))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("hidden", KINDS, indirect=True)
def test_a_bad_question_about_either_is_answered_alike(hidden, make_api_client) -> None:
    http = make_api_client().http
    for query in ("?dose=extreme", "?k=0", "?unknown=1"):
        hidden_answer, absent_answer = (
            http.get(reverse("api:practice-targets", args=[slug]) + query)
            for slug in (hidden.practice.slug, "no-such-practice")
        )
        assert hidden_answer.status_code == absent_answer.status_code == 400
        assert _comparable(hidden_answer, hidden.practice.slug) == _comparable(absent_answer, "no-such-practice")


@pytest.mark.parametrize("hidden", KINDS, indirect=True)
def test_a_target_answer_is_the_one_that_would_be_given_without_the_hidden_practice(hidden, make_api_client) -> None:
    http = make_api_client().http
    address = reverse("api:target-practices", args=[hidden.correlation.target.symbol])
    with_hidden = http.get(address).json()
    before = with_hidden["policy"].pop("revision")
    hidden.practice.predictions.all().delete()
    hidden.correlation.delete()
    hidden.practice.delete()
    without = make_api_client().http.get(address).json()
    assert without["policy"].pop("revision") > before, "removing a practice must outdate cached answers"
    assert without == with_hidden
