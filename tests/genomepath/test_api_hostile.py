"""No header, encoding, number, character or size makes the API answer anything that its document doesn't hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.genomepath.hostile_requests import (
    BODIES,
    HEADER_NAMES,
    HEADERS,
    TEXTS,
    VALUES,
    Operation,
    Prober,
    hostile_queries,
)

GOOD_BODIES: dict[str, dict[str, Any]] = {
    "predict_batch": {"questions": [{"practice": "training-practice-0", "dose": "low", "k": 2}]},
    "predict_targets_for_text": {"text": "a synthetic root decoction", "dose": "low", "k": 2},
    "predict_practices_for_description": {
        "name": "a synthetic protein", "pathways": ["one"], "tissues": ["two"], "diseases": ["three"], "k": 2,
    },
}  # fmt: skip

every_nth = pytest.mark.parametrize("nth", [7, pytest.param(1, marks=pytest.mark.slow)])
"""The normal run takes a part of them, always the same."""


@pytest.fixture
def prober(served_url, roomy_key, in_service) -> Iterator[Prober]:
    """At the end nothing was out of the document, and some requests were answered well."""
    catalogue = in_service.catalogue
    known = {"slug": catalogue.practices[0].slug, "symbol": catalogue.targets[0].symbol}
    prober = Prober(served_url, roomy_key, known)
    yield prober
    assert prober.faults == []


@every_nth
def test_every_parameter_takes_every_hostile_text(prober, nth: int):
    for operation in prober.operations:
        for name in operation.parameters("path"):
            for text in TEXTS[::nth]:
                prober.probe(operation, prober.target(operation, path={name: text}))
        for query in islice(hostile_queries(operation.parameters("query")), None, None, nth):
            prober.probe(operation, prober.target(operation, query=query))
    assert {200, 400, 404} <= set(prober.statuses)


@every_nth
def test_every_endpoint_takes_every_hostile_header(prober, nth: int):
    for operation in prober.operations:
        body = _cheap_body(operation)
        for name, value in HEADERS[::nth]:
            prober.probe(operation, prober.target(operation), headers={name: value}, body=body)
    assert {200, 400, 401, 406, 415} <= set(prober.statuses)


def test_every_endpoint_takes_every_method(prober):
    for operation in prober.operations:
        for method in ("OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "CONNECTED", "GET", "POST"):
            if method != operation.method:
                prober.probe(operation, prober.target(operation), method=method, body=b"{}")
    assert set(prober.statuses) <= {400, 405}


@every_nth
def test_every_member_takes_every_hostile_value(prober, nth: int):
    for operation in _with_body(prober):
        bodies = _near_misses(GOOD_BODIES[operation.described["operationId"]])
        for body in islice(bodies, None, None, nth):
            prober.probe(operation, prober.target(operation), body=body)
    assert {200, 400, 413} <= set(prober.statuses)


def test_every_body_that_is_no_json_is_refused(prober):
    for operation in _with_body(prober):
        for body in BODIES:
            prober.probe(operation, prober.target(operation), body=body)
    assert set(prober.statuses) == {400, 413}


def test_every_endpoint_that_reads_passes_over_a_body(prober):
    for operation in prober.operations:
        if operation.method == "GET":
            for body in BODIES:
                prober.probe(operation, prober.target(operation), body=body)
    assert set(prober.statuses) <= {200, 404}


@pytest.mark.slow
def test_six_thousand_requests_drawn_at_random_find_no_fault(prober):
    texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=300))
    raw = st.binary(max_size=300).filter(lambda value: not set(value) & {*range(32), 127})
    values = st.recursive(
        st.one_of(st.sampled_from(VALUES), st.integers(), st.floats(), texts),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
        max_leaves=12,
    )

    @settings(max_examples=6_000, derandomize=True, database=None, deadline=None)
    @given(st.data())
    def ask(data) -> None:
        operation = data.draw(st.sampled_from(prober.operations))
        path = {name: data.draw(texts) for name in operation.parameters("path") if data.draw(st.booleans())}
        names = st.sampled_from([*operation.parameters("query"), "other"])
        query = "&".join(data.draw(st.lists(st.builds(_pair, names, texts), max_size=3)))
        headers = data.draw(st.dictionaries(st.sampled_from(HEADER_NAMES), raw, max_size=2))
        body = data.draw(st.one_of(st.none(), st.sampled_from(BODIES), values.map(_loose_json)))
        prober.probe(operation, prober.target(operation, path=path, query=query), headers=headers, body=body)

    ask()
    assert sum(prober.statuses.values()) >= 5_000


def _pair(name: str, text: str) -> str:
    return urlencode({name: text.encode("utf-8", "surrogatepass")})


def _loose_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _with_body(prober: Prober) -> list[Operation]:
    return [operation for operation in prober.operations if "requestBody" in operation.described]


def _cheap_body(operation: Operation) -> bytes | None:
    """None where nothing is sent; a good batch, and a text that is refused, as scoring one takes long."""
    if operation.method != "POST":
        return None
    name = operation.described["operationId"]
    return _loose_json(GOOD_BODIES[name] if name == "predict_batch" else {})


def _near_misses(good: dict[str, Any]) -> Iterator[bytes]:
    """The good body with one member, of it or of its first question, replaced, removed or added."""
    inner = good.get("questions", [None])[0]
    for value in VALUES:
        for name in (*good, "other"):
            yield _loose_json({**good, name: value})
            yield _loose_json({**good, name: [value]})
        for name in inner or ():
            yield _loose_json({"questions": [{**inner, name: value}]})
    for name in good:
        yield _loose_json({member: value for member, value in good.items() if member != name})
