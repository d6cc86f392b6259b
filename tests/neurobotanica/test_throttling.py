"""The limits of a key: exact under concurrency, told in the headers, and never out of use."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings as site_settings
from rest_framework.test import APIClient

from ethics.clients import api_key_create, client_create
from ethics.models import AuditEvent
from ethics.policy import Audience
from genomepath.redis_bytes import count_up_within
from tests.factories import make_catalogue

URL = "/api/v1/targets/"
GONE = "redis://127.0.0.1:1/0"


@pytest.fixture
def keyed(db):
    """Makes HTTP clients with a key of the given limits; all keys belong to one organisation."""
    record = client_create(organisation="Synthetic", audience=Audience.RESEARCH)

    def make(**limits: Any) -> APIClient:
        _, text = api_key_create(client=record, name="k", **limits)
        http = APIClient()
        http.credentials(HTTP_AUTHORIZATION=f"Api-Key {text}")
        return http

    return make


def statuses(http: APIClient, times: int) -> list[int]:
    return [http.get(URL).status_code for _ in range(times)]


def test_the_limit_of_a_minute_is_told_and_then_enforced_for_each_key(keyed, settings):
    settings.API_REQUESTS_PER_MINUTE = 2
    first, second = keyed(), keyed()
    responses = [first.get(URL) for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[0]["RateLimit-Policy"] == '"burst";q=20;w=1, "minute";q=2;w=60, "day";q=100000;w=86400'
    assert re.fullmatch(r'"burst";r=19;t=1, "minute";r=1;t=\d{1,2}, "day";r=99999;t=\d{1,5}', responses[0]["RateLimit"])
    assert 1 <= int(responses[2]["Retry-After"]) <= 60
    assert json.loads(responses[2].content)["status"] == 429
    assert second.get(URL).status_code == 200


def test_a_key_may_have_limits_of_its_own(keyed):
    assert statuses(keyed(requests_per_minute=1), 2) == [200, 429]
    assert statuses(keyed(requests_per_day=1), 2) == [200, 429]


def test_the_day_tells_how_long_to_wait(keyed):
    http = keyed(requests_per_day=1)
    http.get(URL)
    assert 1 <= int(http.get(URL)["Retry-After"]) <= 86_400


def test_a_burst_is_refused_although_the_minute_has_room(keyed, monkeypatch):
    monkeypatch.setattr("neurobotanica.throttling.time.time", lambda: 1_000_000.5)
    assert statuses(keyed(), 61) == [200] * 60 + [429]


def test_refused_requests_do_not_eat_the_day(keyed):
    http = keyed(requests_per_minute=1, requests_per_day=5)
    statuses(http, 4)
    assert '"day";r=3' in http.get(URL)["RateLimit"]


def test_strangers_are_stopped_before_they_are_told_that_a_key_is_missing(db, settings):
    settings.ANONYMOUS_REQUESTS_PER_MINUTE = 2
    http = APIClient(REMOTE_ADDR="192.0.2.1")
    assert statuses(http, 3) == [401, 401, 429]
    http.credentials(HTTP_AUTHORIZATION="Api-Key abcdefgh.guess")
    assert statuses(http, 1) == [429]
    assert statuses(APIClient(REMOTE_ADDR="192.0.2.2"), 1) == [401]


def test_a_stranger_does_not_stop_a_good_key_of_the_same_address(keyed, settings):
    settings.ANONYMOUS_REQUESTS_PER_MINUTE = 1
    statuses(APIClient(), 3)
    assert statuses(keyed(), 1) == [200]


def test_a_key_without_the_scope_is_counted_as_well(db, settings):
    settings.API_REQUESTS_PER_MINUTE = 1
    record = client_create(organisation="Synthetic", audience=Audience.RESEARCH)
    _, text = api_key_create(client=record, name="k", allowed_networks=["192.0.2.0/24"])
    http = APIClient()
    http.credentials(HTTP_AUTHORIZATION=f"Api-Key {text}")
    assert statuses(http, 2) == [403, 429]


def test_without_redis_every_process_counts_with_a_tenth(keyed, settings):
    settings.REDIS_URL, settings.ANONYMOUS_REQUESTS_PER_MINUTE = GONE, 10
    assert statuses(keyed(requests_per_minute=20), 3) == [200, 200, 429]
    assert statuses(APIClient(REMOTE_ADDR="192.0.2.77"), 2) == [401, 429]


def test_without_redis_no_answer_goes_unrecorded(keyed, settings):
    settings.REDIS_URL = GONE
    catalogue = make_catalogue()
    http = keyed()
    assert http.get(f"/api/v1/predictions/practices/{catalogue.practices[0].slug}/targets/").status_code == 200
    assert http.get("/api/v1/predictions/practices/absent/targets/").status_code == 404
    recorded = AuditEvent.objects.filter(event_type__startswith="prediction.").order_by("pk")
    assert [event.event_type for event in recorded] == ["prediction.served", "prediction.refused"]


@pytest.mark.parametrize("poison", [b"no number", b"", b"-1e999x"])
def test_a_poisoned_counter_is_passed_over_as_if_redis_were_gone(keyed, poison: bytes, monkeypatch):
    monkeypatch.setattr("neurobotanica.throttling.time.time", lambda: 1_000_000.5)
    http = keyed(requests_per_minute=20)
    http.get(URL)
    prefix = site_settings.CACHES["default"]["KEY_PREFIX"]
    with redis.Redis.from_url(site_settings.REDIS_URL) as store:
        for name in store.scan_iter(f"{prefix}:rate:key:*:minute:*"):
            store.set(name, poison)
        response = http.get(URL)
        assert (response.status_code, '"minute";q=2;w=60' in response["RateLimit-Policy"]) == (200, True)


def test_concurrent_counts_lose_nothing_and_pass_no_limit():
    def count(_: int) -> int:
        return count_up_within(["rate:test"], [150], [60], by=[1])[0]

    with ThreadPoolExecutor(8) as pool:
        counts = sorted(pool.map(count, range(200)))
    assert counts == [*range(1, 151), *[151] * 50]


def test_one_counter_at_its_limit_leaves_the_others_alone():
    names, seconds = ["rate:narrow", "rate:wide"], [60, 60]
    assert count_up_within(names, [1, 9], seconds, by=[1, 1]) == (1, 1)
    assert count_up_within(names, [1, 9], seconds, by=[1, 1]) == (2, 2)
    assert count_up_within(["rate:wide"], [9], [60], by=[1]) == (2,)


def test_counters_are_raised_each_by_its_own_number():
    names, limits, seconds = ["rate:slow", "rate:fast"], [1, 9], [60, 60]
    assert count_up_within(names, limits, seconds, by=[1, 1]) == (1, 1)
    assert count_up_within(names, limits, seconds, by=[0, 5]) == (1, 6)
    assert count_up_within(names, limits, seconds, by=[0, 5]) == (1, 11)
    assert count_up_within(names, limits, seconds, by=[0, 3]) == (1, 9)
