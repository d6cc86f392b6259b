"""Not only GET: whatever else is sent to the API shows nothing of what is withheld, and treats it as absent."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from ethics.policy import Audience
from tests.factories import make_model_version, make_target, publish
from tests.governance.canaries import KINDS, plant
from tests.governance.surfaces import leaks, response_bytes

pytestmark = pytest.mark.django_db
COUNTDOWN = re.compile(rb";[rt]=\d+")
"""Requests and seconds that the limits leave, which fall from one request to the next."""
METHODS = ("post", "put", "patch", "delete", "options", "trace", "head")


@pytest.mark.parametrize("kind", KINDS)
def test_other_methods_show_nothing_and_tell_nothing_apart(kind: str, make_api_client, settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 10**9
    target = make_target()
    planted = plant(kind, target)
    publish(make_model_version(), [planted.practice], [target])
    http = make_api_client(Audience.RESEARCH).http
    slug, absent = planted.practice.slug, "no-such-practice"
    surfaces = {}
    for method in METHODS:
        statuses = []
        for name in (slug, absent):
            address = reverse("api:practice-targets", args=[name])
            arguments = {} if method in {"head", "trace"} else {"data": {"slug": name}, "format": "json"}
            response = getattr(http, method)(address, **arguments)
            told = COUNTDOWN.sub(b"", response_bytes(response).replace(name.encode(), b""))
            statuses.append((response.status_code, len(told)))
            surfaces[f"{method} {address}"] = response_bytes(response).replace(name.encode(), b"")
            assert response.status_code < 500
        assert statuses[0] == statuses[1], method
        for address in (reverse("api:target-practices", args=[target.symbol]), reverse("api:practices")):
            arguments = {} if method in {"head", "trace"} else {"data": {"search": slug}, "format": "json"}
            surfaces[f"{method} {address}"] = response_bytes(getattr(http, method)(address, **arguments))
    assert leaks(surfaces, planted.canaries) == []
