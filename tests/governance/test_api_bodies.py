"""Questions sent in a body show nobody what is withheld, and tell it from nothing by no sign."""

from __future__ import annotations

import json

import pytest

from ethics.policy import Audience
from tests.factories import make_model_version, make_practice, make_target, publish
from tests.governance.canaries import canaries_of, plant_every_kind
from tests.governance.surfaces import cache_surfaces, leaks, response_bytes

pytestmark = pytest.mark.django_db
URL = "/api/v1/predictions/batch/"


@pytest.mark.parametrize("audience", [Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY])
def test_a_batch_answers_hidden_as_absent_and_shows_no_canary(audience, make_api_client) -> None:
    target, shown = make_target(), make_practice()
    planted = plant_every_kind(target)
    publish(make_model_version(), [*(entry.practice for entry in planted), shown], [target])
    slugs = [entry.practice.slug for entry in planted]
    questions = [{"practice": slug} for slug in [*slugs, "no-such-practice"]] + [{"target": target.symbol, "k": 100}]
    response = make_api_client(audience).http.post(
        URL, {"questions": questions}, format="json", headers={"Idempotency-Key": "canary-walk"}
    )

    *practices, of_target = json.loads(response.content)["results"]
    assert len({json.dumps({**result, "index": 0}) for result in practices}) == 1
    assert [entry["practice"]["slug"] for entry in of_target["answer"]["predictions"]] == [shown.slug]
    assert leaks({"answer": response_bytes(response), **cache_surfaces()}, canaries_of(planted)) == []
