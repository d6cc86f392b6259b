"""The API keeps to its own OpenAPI document, whatever it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis

from ethics.clients import api_key_create, client_create
from ethics.policy import Audience
from neurobotanica.serving_bench.server import granian_server
from tests.genomepath.api_contract import ContractRun, run_contract

PLENTY = 10_000_000
CACHE_OF_ITS_OWN = 9


@pytest.fixture
def key(in_service) -> str:
    client = client_create(organisation="Synthetic", audience=Audience.RESEARCH)
    _, text = api_key_create(client=client, name="contract", requests_per_minute=PLENTY, requests_per_day=PLENTY)
    return text


@pytest.fixture
def url(in_service, committed_database, settings) -> Iterator[str]:
    """Granian over the catalogue, with an empty cache."""
    with redis.Redis.from_url(settings.REDIS_URL, db=CACHE_OF_ITS_OWN) as cache:
        cache.flushdb()
    environment = {
        "DATABASE_URL": committed_database.url,
        "REDIS_URL": urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{CACHE_OF_ITS_OWN}")),
        "ARTEFACT_ROOT": str(settings.ARTEFACT_ROOT),
        "ANONYMOUS_REQUESTS_PER_MINUTE": str(PLENTY),
        "OMP_NUM_THREADS": "1",
    }
    application = "neurobotanica.wsgi:application"
    with granian_server(application, ready_path="/readyz", workers=1, environment=environment) as (port, _):
        yield f"http://127.0.0.1:{port}"


def assert_kept(run: ContractRun) -> None:
    assert run.faults == []
    assert not any(status >= 500 for status in run.statuses)
    assert run.statuses[200] and run.cases["stateful"] and run.cases["fuzzing"]


def test_answers_keep_to_the_document(url, in_service, key):
    assert_kept(run_contract(url, in_service, key, examples=2, sequences=3))


@pytest.mark.slow
def test_five_thousand_questions_find_no_fault(url, in_service, key):
    run = run_contract(url, in_service, key, examples=300, sequences=300)
    assert_kept(run)
    assert sum(run.cases.values()) >= 5_000
