"""The cache of rendered bytes: fast when it works, harmless when it does not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from genomepath.answer_cache import RenderedAnswer, answer_get, answer_key, answer_put
from genomepath.serving import memory
from tests.factories import make_catalogue

NOW = timezone.now()
LATER = NOW + timedelta(seconds=60)
ANSWER = RenderedAnswer(b'{"a":1}', '"etag"', ["item"], ["community"], 1, LATER.isoformat())


@pytest.fixture
def raw():
    return redis.Redis.from_url(django_settings.REDIS_URL)


def _stored_name(raw) -> bytes:
    prefix = django_settings.CACHES["default"]["KEY_PREFIX"]
    name: bytes = next(iter(raw.scan_iter(f"{prefix}:answer:*")))
    return name


def test_what_was_put_is_got():
    answer_put(answer_key("a"), ANSWER, NOW)
    assert answer_get(answer_key("a"), NOW) == ANSWER


def test_keys_of_different_parts_differ():
    assert answer_key("ab", "c") != answer_key("a", "bc")


def test_bytes_of_anybody_else_are_a_miss(raw):
    answer_put(answer_key("a"), ANSWER, NOW)
    name = _stored_name(raw)
    good = raw.get(name)
    for bad in (b"", b"garbage", b"\x80\x04cos\nsystem\n", good[:-1] + b"!", good[:40], b"\x00" * 500):
        raw.set(name, bad)
        assert answer_get(answer_key("a"), NOW) is None


def test_genuine_bytes_under_another_key_are_a_miss(raw):
    answer_put(answer_key("a"), ANSWER, NOW)
    name = _stored_name(raw)
    other = answer_key("b")
    raw.set(name.rsplit(b":", 2)[0] + b":" + other.encode(), raw.get(name))
    assert answer_get(other, NOW) is None


def test_answer_is_not_kept_past_its_boundary(raw):
    boundary = NOW + timedelta(seconds=10)
    answer = RenderedAnswer(b"{}", '"e"', [], [], 0, valid_until=boundary.isoformat())
    answer_put(answer_key("a"), answer, NOW)
    assert raw.ttl(_stored_name(raw)) <= 10
    assert answer_get(answer_key("a"), boundary - timedelta(microseconds=1)) == answer
    assert answer_get(answer_key("a"), boundary) is None


@pytest.mark.django_db
def test_poisoned_cache_does_not_reach_an_answer(raw, make_api_client):
    catalogue = make_catalogue()
    client = make_api_client()
    url = f"/api/v1/predictions/practices/{catalogue.practices[0].slug}/targets/"
    good = client.http.get(url).content
    raw.set(_stored_name(raw), b"\x00" * 32 + b'{"poison": true}')
    memory.clear()
    assert client.http.get(url).content == good


@pytest.mark.django_db
def test_without_redis_answers_are_right_and_the_limit_is_stricter(settings, make_api_client):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.API_REQUESTS_PER_MINUTE = 30
    catalogue = make_catalogue()
    client = make_api_client()
    url = f"/api/v1/predictions/practices/{catalogue.practices[0].slug}/targets/"

    responses = [client.http.get(url) for _ in range(4)]

    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert json.loads(responses[0].content)["practice"]["slug"] == catalogue.practices[0].slug
    assert '"minute";q=3;w=60' in responses[0]["RateLimit-Policy"]
