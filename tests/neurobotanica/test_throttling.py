"""The limit of a client: exact under concurrency, told in the headers."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from genomepath.redis_bytes import count_up


@pytest.mark.django_db
def test_limit_is_told_and_then_enforced_for_each_client(settings, make_api_client):
    settings.API_REQUESTS_PER_MINUTE = 2
    first, second = make_api_client(), make_api_client()

    responses = [first.http.get("/api/v1/targets/") for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[0]["RateLimit-Policy"] == '"client";q=2;w=60'
    assert re.fullmatch(r'"client";r=1;t=\d{1,2}', responses[0]["RateLimit"])
    assert 1 <= int(responses[2]["Retry-After"]) <= 60
    assert json.loads(responses[2].content)["status"] == 429
    assert second.http.get("/api/v1/targets/").status_code == 200


def test_concurrent_counts_lose_nothing():
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: count_up("rate:test", 60), range(200)))
    assert sorted(counts) == list(range(1, 201))
