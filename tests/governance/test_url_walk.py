"""Every address of the site, visited by everybody, shows nobody more of a practice out of use than they may read."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from ethics.admin.visibility import CURATOR
from ethics.audit import record
from ethics.desk.alerts import open_alerts
from ethics.models import AuditEvent, Community, SavedFilter
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState
from neurobotanica.urls import urlpatterns as served
from tests.admin_people import records_of_every_model
from tests.factories import make_practice, make_target, publish
from tests.governance.addresses import UNNAMED_ROUTES, Samples, UnknownArguments, routes, searches, unnamed_routes
from tests.governance.canaries import KINDS, OPEN_TO_CURATION, canaries_of, plant_every_kind, plant_sacred_names
from tests.governance.surfaces import cache_surfaces, leaks, response_bytes
from tests.governance.visitors import VISITORS, Visitor

pytestmark = pytest.mark.django_db
# Lists, searches and the API meet practices of every kind. The pages of their records are visited for those closed to
# curation, and for one that is open to it, as the others of its sort are read by the same people.
VISITED_KINDS = frozenset(KINDS) - OPEN_TO_CURATION | {"expired"}


@pytest.fixture
def site():
    """Open records of every model, practices out of use of every kind with their predictions, and samples of both."""
    records = records_of_every_model()
    version = ModelVersion.objects.get()
    version.state = VersionState.ACTIVE.value
    version.save()
    target = make_target()
    planted = plant_every_kind(target)
    publish(version, [entry.practice for entry in planted], [target])
    record("sacred.viewed", subjects=[planted[0].practice.item.public_id], communities=["synthetic"])
    open_practice = make_practice()
    publish(version, [open_practice], [target])
    somebody = User.objects.create_user("somebody")
    slugs = [open_practice.slug, "no-such-practice", *(entry.practice.slug for entry in planted)]
    samples = Samples(
        records=[
            *records.values(), somebody, Group.objects.get(name=CURATOR),
            *(part for entry in planted if entry.kind in VISITED_KINDS for part in entry.pages()),
        ],
        arguments={
            "api:practice-targets": [{"slug": slug} for slug in slugs],
            "api:target-practices": [{"symbol": target.symbol}, {"symbol": "NOSUCH"}],
            "api:target-explanation": [{"slug": slug, "symbol": target.symbol} for slug in slugs],
            "api:practice-explanation": [{"symbol": target.symbol, "slug": slug} for slug in slugs],
            "api:attribution": [{"slug": slug} for slug in Community.objects.values_list("slug", flat=True)],
            "community-statement": [
                {"slug": slug} for slug in Community.objects.values_list("slug", flat=True)[:3]
            ],
            "desk:event": [{"event_id": key} for key in AuditEvent.objects.values_list("event_id", flat=True)],
            "desk:practice": [
                {"public_id": entry.practice.item.public_id} for entry in planted
            ] + [{"public_id": open_practice.item.public_id}],
            "desk:alert": [{"key": alert.key} for alert in open_alerts(timezone.now()).alerts] + [{"key": "nothing:1"}],
            "desk:download": [{"form": form} for form in ("csv", "json", "pack", "nothing")],
            "desk:filter-remove": [{"public_id": SavedFilter.objects.get().public_id}],
            "admin:app_list": [{"app_label": name} for name in ("ethics", "correlations", "genomepath", "auth")],
            "admin:auth_user_password_change": [{"id": somebody.pk}],
            "admin:view_on_site": [{"content_type_id": 1, "object_id": 1}],
        },
    )  # fmt: skip
    return samples, canaries_of(planted) | plant_sacred_names()


def _addresses(samples: Samples) -> list[str]:
    return [*(address for route in routes() for address in samples.addresses(route)), *searches()]


@pytest.mark.parametrize("visitor", VISITORS, ids=str)
def test_no_address_shows_a_visitor_what_is_withheld(visitor: Visitor, site, client: Client, caplog, settings) -> None:
    samples, canaries = site
    settings.API_REQUESTS_PER_MINUTE = settings.ANONYMOUS_REQUESTS_PER_MINUTE = 100_000
    caplog.set_level(logging.DEBUG)
    visitor.prepare(client)
    client.raise_request_exception = False
    surfaces = {}
    for address in _addresses(samples):
        if visitor.name.endswith("key") and address.startswith("/admin/") and "?" not in address:
            continue  # a key opens nothing there: 'nobody' stands for it
        response = client.get(address)
        assert response.status_code < 500, address
        # The address itself may be repeated by who asked for it, as may the name that was asked for.
        surfaces[f"{visitor} {address}"] = response_bytes(response).replace(address.encode(), b"")

    hidden = {text: canary for text, canary in canaries.items() if not visitor.may_read(canary)}
    assert len(surfaces) > 40
    assert leaks(surfaces, hidden) == []
    assert leaks(cache_surfaces(), canaries) == []
    assert leaks({"log": _without_addresses(caplog.text, samples).encode()}, canaries) == []


def _without_addresses(text: str, samples: Samples) -> str:
    for arguments in samples.arguments["api:practice-targets"]:
        text = text.replace(f"/practices/{arguments['slug']}/", "/practices/.../")
    for arguments in samples.arguments["api:attribution"]:
        text = text.replace(f"/communities/{arguments['slug']}/", "/communities/.../")
    return text


def test_the_walk_would_notice_what_it_looks_for(site, client: Client) -> None:
    canaries = site[1]
    VISITORS[3].prepare(client)  # a curator, who may read what is open to curation
    surfaces = {address: response_bytes(client.get(address)) for address in searches()}
    read = {entry.split(": ")[1].split(" ")[0] for entry in leaks(surfaces, canaries)}
    assert read == {"denied", "expired", "unattributed"}


def test_routes_without_a_name_are_the_known_ones() -> None:
    assert set(unnamed_routes()) == set(UNNAMED_ROUTES)


def test_the_walk_has_arguments_for_every_route(site) -> None:
    samples, _ = site
    assert len(_addresses(samples)) > 200


def _new_page(request: HttpRequest, practice: str, page: int) -> HttpResponse:
    return HttpResponse(practice)


urlpatterns = [*served, path("new/<slug:practice>/<int:page>/", _new_page, name="new-page")]


@pytest.mark.urls(__name__)
def test_a_new_view_with_unknown_arguments_fails_the_walk(site) -> None:
    samples, _ = site
    with pytest.raises(UnknownArguments, match="new-page"):
        _addresses(samples)


def test_the_cache_of_the_walk_is_the_real_one() -> None:
    assert django_settings.CACHES["default"]["BACKEND"].endswith("RedisCache")
