"""An answer that many ask for at once is rendered once, and no fault of the cache keeps anybody waiting or is believed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connections
from django.utils import timezone

from correlations.models import Practice
from correlations.vocabulary import Direction
from ethics.models import AuditEvent, WithdrawalCase
from ethics.policy import Audience, SacredStatus
from ethics.stewardship import item_set_status
from genomepath import answer_memory, answer_rendering, serving
from genomepath.answer_cache import RenderedAnswer, answer_get, answer_key, answer_put
from genomepath.answer_rendering import (
    CLAIM_SECONDS,
    LONGEST_WAIT_SECONDS,
    answer_render_once,
    answer_renew,
)
from genomepath.redis_bytes import bytes_set
from genomepath.serving import PredictionQuestion, SubjectNotFound, prediction_serve
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_catalogue
from tests.genomepath.withdrawal_cases import object_to

NOW = timezone.now()
KEY = answer_key("asked by many")

ANSWER = RenderedAnswer(b'{"a":1}', '"etag"', ["item"], ["community"], 1, (NOW + timedelta(seconds=60)).isoformat())
OUTDATED = replace(ANSWER, body=b'{"a":0}')


def unchanged() -> bool:
    """Nothing was withdrawn while the answer was rendered."""
    return True


class Rendering:
    """Takes some time, and counts how often it was done."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.times, self.seconds = 0, seconds

    def __call__(self) -> RenderedAnswer:
        self.times += 1
        time.sleep(self.seconds)
        return ANSWER


@pytest.fixture
def raw():
    with redis.Redis.from_url(django_settings.REDIS_URL) as store:
        yield store


@pytest.fixture
def stored_answers(raw):
    """The keys of the answers that Redis holds."""
    return lambda: list(raw.scan_iter(f"{django_settings.CACHES['default']['KEY_PREFIX']}:answer:*"))


def test_many_who_ask_at_once_get_what_one_of_them_renders():
    rendering = Rendering(seconds=0.1)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: answer_render_once(KEY, rendering, NOW, unchanged), range(12)))
    assert answers == [ANSWER] * 12
    assert rendering.times == 1


def test_a_caller_that_died_while_it_rendered_holds_others_up_for_a_moment_only():
    bytes_set(f"rendering:{KEY}", b"of a dead process", CLAIM_SECONDS)
    rendering, started = Rendering(), time.monotonic()
    assert answer_render_once(KEY, rendering, NOW, unchanged) == ANSWER
    assert rendering.times == 1
    assert time.monotonic() - started < LONGEST_WAIT_SECONDS + 0.2


def test_a_rendering_that_fails_or_gives_nothing_leaves_the_place_to_the_next():
    def fail() -> RenderedAnswer:
        raise RuntimeError("synthetic")

    with pytest.raises(RuntimeError):
        answer_render_once(KEY, fail, NOW, unchanged)
    assert answer_render_once(KEY, lambda: None, NOW, unchanged) is None
    started = time.monotonic()
    assert answer_render_once(KEY, Rendering(), NOW, unchanged) == ANSWER
    assert time.monotonic() - started < LONGEST_WAIT_SECONDS / 2


def test_who_finishes_late_does_not_take_the_claim_of_the_one_after_him(raw):
    prefix = django_settings.CACHES["default"]["KEY_PREFIX"]

    def overtaken() -> RenderedAnswer:
        bytes_set(f"rendering:{KEY}", b"of the next", CLAIM_SECONDS)
        return ANSWER

    answer_render_once(KEY, overtaken, NOW, unchanged)
    assert raw.get(f"{prefix}:rendering:{KEY}") == b"of the next"


def test_without_redis_everybody_renders_at_once(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    rendering, started = Rendering(), time.monotonic()
    assert [answer_render_once(KEY, rendering, NOW, unchanged) for _ in range(3)] == [ANSWER] * 3
    assert rendering.times == 3
    assert time.monotonic() - started < LONGEST_WAIT_SECONDS


def test_one_of_many_renews_an_outdated_answer_while_the_others_get_it_as_it_is():
    rendering = Rendering(seconds=0.3)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: answer_renew(KEY, OUTDATED, rendering, NOW, unchanged), range(12)))
    assert sorted(answer.body for answer in answers) == [OUTDATED.body] * 11 + [ANSWER.body]
    assert rendering.times == 1
    assert answer_get(KEY, NOW) == ANSWER


def test_an_answer_that_another_process_has_renewed_is_taken_from_it():
    answer_put(KEY, ANSWER, NOW)
    rendering = Rendering()
    assert answer_renew(KEY, OUTDATED, rendering, NOW, unchanged) == ANSWER
    assert rendering.times == 0


def test_what_may_not_be_rendered_any_more_is_not_tried_again_at_once():
    tried: list[str] = []

    def nothing() -> None:
        tried.append("once")

    assert [answer_renew(KEY, OUTDATED, nothing, NOW, unchanged) for _ in range(3)] == [OUTDATED] * 3
    assert tried == ["once"]


def test_without_redis_an_outdated_answer_is_given_as_it_is(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    rendering = Rendering()
    assert answer_renew(KEY, OUTDATED, rendering, NOW, unchanged) == OUTDATED
    assert rendering.times == 0


def test_each_of_many_answers_rendered_once_has_its_own_event(committed_database, django_db_blocker, monkeypatch):
    rendered: list[str] = []
    render = serving._render

    def slow(*arguments):
        rendered.append("once")
        time.sleep(0.1)
        return render(*arguments)

    monkeypatch.setattr(serving, "_render", slow)
    # On a machine that does much else, rendering takes longer than callers wait.
    monkeypatch.setattr(answer_rendering, "LONGEST_WAIT_SECONDS", 30)

    def ask(slug: str) -> bytes:
        try:
            question = PredictionQuestion(Direction.TK_TO_GENOMIC, slug, 3)
            return prediction_serve(question=question, audience=Audience.RESEARCH).body
        finally:
            connections.close_all()

    with django_db_blocker.unblock():
        slug = make_catalogue().practices[0].slug
        with ThreadPoolExecutor(6) as pool:
            bodies = set(pool.map(ask, [slug] * 6))
        assert (len(bodies), rendered) == (1, ["once"])
        assert AuditEvent.objects.filter(event_type="prediction.served").count() == 6


def overtaken_by_a_withdrawal(practice: Practice):
    """Renders, and before anything is stored the practice is withdrawn and the cache purged."""
    render = serving._render

    def overtaken(*arguments) -> RenderedAnswer | None:
        answer = render(*arguments)
        object_to(practice)
        withdrawals_process()
        return answer

    return overtaken


@pytest.mark.django_db
def test_an_answer_that_a_withdrawal_overtook_does_not_lie_in_the_cache(stored_answers, monkeypatch):
    practice = make_catalogue().practices[0]
    monkeypatch.setattr(serving, "_render", overtaken_by_a_withdrawal(practice))

    prediction_serve(question=PredictionQuestion(Direction.TK_TO_GENOMIC, practice.slug, 3), audience=Audience.RESEARCH)

    assert WithdrawalCase.objects.get().state == "completed"
    assert stored_answers() == []


@pytest.mark.django_db
def test_a_renewed_answer_that_a_withdrawal_overtook_does_not_lie_in_the_cache(stored_answers, monkeypatch):
    practice = make_catalogue().practices[0]
    monkeypatch.setattr(answer_memory, "LATEST_RENEWAL", 0.0)

    def ask(seconds: int) -> None:
        question = PredictionQuestion(Direction.TK_TO_GENOMIC, practice.slug, 3)
        moment = NOW + timedelta(seconds=seconds)
        prediction_serve(question=question, audience=Audience.RESEARCH, now=moment)

    ask(0)
    Practice.objects.filter(pk=practice.pk).update(title="Another title")
    monkeypatch.setattr(serving, "_render", overtaken_by_a_withdrawal(practice))
    ask(1)

    assert WithdrawalCase.objects.get().state == "completed"
    assert stored_answers() == []


@pytest.mark.django_db
def test_what_is_withheld_waits_for_nobody_just_as_what_is_absent(monkeypatch):
    asked_to_render: list[str] = []
    monkeypatch.setattr(serving, "answer_render_once", lambda key, *_: asked_to_render.append(key))
    practice = make_catalogue().practices[0]
    item_set_status(item=practice.item, status=SacredStatus.SACRED)
    for slug in (practice.slug, "no-such-practice"):
        with pytest.raises(SubjectNotFound):
            question = PredictionQuestion(Direction.TK_TO_GENOMIC, slug, 3)
            prediction_serve(question=question, audience=Audience.RESEARCH)
    assert asked_to_render == []


@pytest.mark.django_db
def test_a_value_of_another_kind_in_the_cache_harms_neither_answer_nor_limits(raw, make_api_client):
    catalogue = make_catalogue()
    client = make_api_client()
    url = f"/api/v1/predictions/practices/{catalogue.practices[0].slug}/targets/"
    first = client.http.get(url)
    prefix = django_settings.CACHES["default"]["KEY_PREFIX"]
    (name,) = raw.scan_iter(f"{prefix}:answer:*")
    raw.delete(name)
    raw.rpush(name, "poison")
    serving.memory.clear()
    second = client.http.get(url)
    assert (second.status_code, second.content) == (200, first.content)
    assert second["RateLimit-Policy"] == first["RateLimit-Policy"]
    assert raw.type(name) == b"string"
