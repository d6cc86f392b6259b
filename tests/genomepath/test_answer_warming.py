"""A model that comes into service finds its first answers rendered, by the same gate and for nobody in particular."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings as django_settings
from kombu.exceptions import OperationalError as BrokerError

from correlations.vocabulary import Direction
from ethics.models import AuditEvent
from ethics.policy import Audience, SacredStatus
from ethics.stewardship import item_set_status
from genomepath import serving
from genomepath.answer_warming import answers_warm
from genomepath.housekeeping import warm_answers
from genomepath.models.model_version import VersionState
from genomepath.registry import model_promote
from genomepath.serving import DEFAULT_TARGETS, PredictionQuestion, prediction_serve
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db


def cached_bytes() -> bytes:
    prefix = django_settings.CACHES["default"]["KEY_PREFIX"]
    with redis.Redis.from_url(django_settings.REDIS_URL) as store:
        return b"".join(store.get(name) for name in store.scan_iter(f"{prefix}:answer:*"))


@pytest.fixture
def nothing_is_rendered(monkeypatch):
    """From the moment it is called on, an answer comes from the cache or not at all."""

    def refuse(*_):
        raise AssertionError("rendered")

    return lambda: monkeypatch.setattr(serving, "_render", refuse)


def test_a_promotion_has_the_answers_rendered_once_it_is_committed(
    evaluated, monkeypatch, django_capture_on_commit_callbacks, nothing_is_rendered
):
    monkeypatch.setattr(warm_answers, "delay", warm_answers.run)
    with django_capture_on_commit_callbacks(execute=True):
        model_promote(version=evaluated.version, promoted_by="engineer")
    nothing_is_rendered()
    for audience in (Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY):
        for practice in evaluated.catalogue.practices:
            question = PredictionQuestion(Direction.TK_TO_GENOMIC, practice.slug, DEFAULT_TARGETS)
            assert prediction_serve(question=question, audience=audience).count > 0


def test_a_promotion_while_the_broker_is_away_succeeds(evaluated, monkeypatch, django_capture_on_commit_callbacks):
    def refuse() -> None:
        raise BrokerError("synthetic")

    monkeypatch.setattr(warm_answers, "delay", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        promoted = model_promote(version=evaluated.version, promoted_by="engineer")
    assert promoted.state == VersionState.ACTIVE


def test_warming_serves_nobody_and_is_no_event():
    make_catalogue()
    before = AuditEvent.objects.count()
    assert answers_warm() == 3 * (3 + 4)
    assert AuditEvent.objects.count() == before


def test_nothing_of_what_is_withheld_gets_into_the_cache():
    catalogue = make_catalogue()
    withheld, shown = catalogue.practices[:2]
    item_set_status(item=withheld.item, status=SacredStatus.SACRED)
    answers_warm()
    held = cached_bytes()
    assert shown.slug.encode() in held
    assert withheld.slug.encode() not in held


def test_without_a_model_in_service_there_is_nothing_to_render():
    assert answers_warm() == 0
