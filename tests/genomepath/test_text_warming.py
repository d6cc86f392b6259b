"""What texts are scored with is loaded before the first text, by whatever request comes first."""

from __future__ import annotations

import threading

import pytest
from django.core.signals import request_started

from ethics.models.client import CLIENT_AUDIENCES
from genomepath import text_engine, text_warming
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState

pytestmark = pytest.mark.django_db


def test_after_warming_the_engine_and_the_gate_of_each_audience_are_there(evaluated):
    ModelVersion.objects.update(state=VersionState.ACTIVE.value)
    version = ModelVersion.objects.get()

    assert text_warming.text_engine_warm()

    hits = text_engine._engine.cache_info().hits
    engine = text_engine.text_engine(version)
    assert text_engine._engine.cache_info().hits == hits + 1
    assert len(engine.gate._compared) == len(CLIENT_AUDIENCES)


def test_without_a_model_in_service_there_is_nothing_to_load():
    assert not text_warming.text_engine_warm()


def test_the_first_request_alone_starts_it(monkeypatch):
    started = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread.name))
    text_warming.text_engine_warm_at_first_request()

    for _ in range(3):
        request_started.send(sender=None, environ={})

    assert started == ["text-engine"]
