"""The permission matrix as data: every endpoint with every kind of key gives the listed status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.urls import get_resolver, reverse
from django.utils import timezone
from rest_framework.test import APIClient

from ethics.clients import api_key_create, api_key_revoke, client_create
from ethics.models import ApiClient, ApiKey, ItemLabel
from ethics.policy import Audience, LabelRule
from ethics.scopes import ALL_SCOPES, Scope
from genomepath.api.urls import urlpatterns
from genomepath.models import ModelVersion
from tests.admin_people import make_label
from tests.factories import Catalogue, make_catalogue

pytestmark = pytest.mark.django_db
COMMUNITY_ONLY = Audience.COMMUNITY
"""Everything in these tests is for the community alone: any other audience must find nothing."""


@dataclass(frozen=True)
class Endpoint:
    """How an endpoint is called, and what it answers a good key and the key of another audience."""

    name: str
    scope: Scope
    arguments: Callable[[Catalogue], dict[str, str]] = lambda catalogue: {}
    body: Callable[[Catalogue], Any] | None = None
    good: int = 200
    other_audience: int = 200

    def __str__(self) -> str:
        return self.name

    def ask(self, catalogue: Catalogue, key: str | None, address: str = "127.0.0.1") -> int:
        """The status of one request."""
        http = APIClient(REMOTE_ADDR=address)
        url = reverse(f"api:{self.name}", kwargs=self.arguments(catalogue))
        headers = {"Authorization": f"Api-Key {key}"} if key else {}
        if self.body is None:
            return http.get(url, headers=headers).status_code
        return http.post(url, self.body(catalogue), format="json", headers=headers).status_code


@dataclass(frozen=True)
class KeyKind:
    """A kind of key, and the status that it gets everywhere; None where the endpoint says which."""

    name: str
    status: int | None
    settings: dict[str, Any] = field(default_factory=dict)
    audience: Audience = COMMUNITY_ONLY
    after: Callable[[ApiKey], Any] = lambda key: None

    def __str__(self) -> str:
        return self.name


def _slug(catalogue: Catalogue) -> dict[str, str]:
    return {"slug": catalogue.practices[0].slug}


def _symbol(catalogue: Catalogue) -> dict[str, str]:
    return {"symbol": catalogue.targets[0].symbol}


ENDPOINTS = (
    Endpoint("practice-targets", Scope.PREDICTIONS, _slug, other_audience=404),
    Endpoint("target-practices", Scope.PREDICTIONS, _symbol),
    Endpoint(
        "target-explanation", Scope.PREDICTIONS, lambda made: {**_slug(made), **_symbol(made)}, other_audience=404
    ),
    Endpoint(
        "practice-explanation", Scope.PREDICTIONS, lambda made: {**_slug(made), **_symbol(made)}, other_audience=404
    ),
    Endpoint("batch", Scope.PREDICTIONS, body=lambda made: {"questions": [{"practice": made.practices[0].slug}]}),
    Endpoint("text-targets", Scope.TEXT, body=lambda made: {"text": "a text"}, good=503, other_audience=404),
    Endpoint("description-practices", Scope.TEXT, body=lambda made: {"name": "a gene"}, good=503, other_audience=503),
    Endpoint("practices", Scope.CATALOGUE),
    Endpoint("targets", Scope.CATALOGUE),
    Endpoint("correlations", Scope.CATALOGUE),
    Endpoint("evidence", Scope.CATALOGUE),
    Endpoint("synergies", Scope.CATALOGUE),
    Endpoint("dosage-profiles", Scope.CATALOGUE),
    Endpoint("model", Scope.MODEL),
    Endpoint(
        "attribution",
        Scope.ATTRIBUTION,
        lambda made: {"slug": made.practices[0].item.community.slug},
        other_audience=404,
    ),
    Endpoint("usage", Scope.USAGE),
)
KEYS = (
    KeyKind("good", None),
    KeyKind("other audience", None, audience=Audience.COMMERCIAL),
    KeyKind("expired", 401, {"expires_at": timezone.now() - timedelta(seconds=1)}),
    KeyKind("revoked", 401, after=lambda key: api_key_revoke(key=key)),
    KeyKind("closed client", 401, after=lambda key: ApiClient.objects.update(is_active=False)),
    KeyKind("wrong network", 403, {"allowed_networks": ["192.0.2.0/24"]}),
)


@pytest.fixture
def catalogue() -> Catalogue:
    made = make_catalogue()
    ModelVersion.objects.update(trained_on=[practice.item.public_id for practice in made.practices])
    label = make_label(LabelRule.COMMUNITY_ONLY)
    for practice in made.practices:
        ItemLabel.objects.create(item=practice.item, label=label)
    return made


def _key(kind: KeyKind, **settings: Any) -> str:
    client = client_create(organisation="Synthetic", audience=kind.audience)
    key, text = api_key_create(client=client, name="k", **{**kind.settings, **settings})
    kind.after(key)
    return text


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
@pytest.mark.parametrize("kind", KEYS, ids=str)
def test_every_key_gets_its_status_everywhere(catalogue, endpoint: Endpoint, kind: KeyKind):
    expected = kind.status or (endpoint.good if kind.audience == COMMUNITY_ONLY else endpoint.other_audience)
    assert endpoint.ask(catalogue, _key(kind)) == expected


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_without_a_key_nothing_opens(catalogue, endpoint: Endpoint):
    assert endpoint.ask(catalogue, None) == 401
    assert endpoint.ask(catalogue, "abcdefgh.unknown") == 401


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_the_scope_alone_opens_it(catalogue, endpoint: Endpoint):
    assert endpoint.ask(catalogue, _key(KEYS[0], scopes=[endpoint.scope])) == endpoint.good


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_all_other_scopes_together_do_not_open_it(catalogue, endpoint: Endpoint):
    others = [scope for scope in ALL_SCOPES if scope != endpoint.scope]
    assert endpoint.ask(catalogue, _key(KEYS[0], scopes=others)) == 403


def test_the_matrix_holds_every_endpoint_and_every_view_has_its_scope():
    assert {entry.name for entry in urlpatterns} == {endpoint.name for endpoint in ENDPOINTS}
    scopes = {endpoint.name: endpoint.scope for endpoint in ENDPOINTS}
    for name, scope in scopes.items():
        (view,) = (getattr(entry.callback, "view_class", None) for entry in urlpatterns if entry.name == name)
        assert getattr(view, "required_scope", None) == scope
    assert get_resolver().namespace_dict["api"][0] == "api/v1/"
