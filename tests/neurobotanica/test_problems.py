"""Every error of the API is a problem document, whoever raises it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from ethics.clients import api_key_create, client_create
from ethics.policy import Audience
from ethics.scopes import Scope
from genomepath.api.base import Deprecation
from genomepath.api.catalogue import TargetListView
from genomepath.api.strict_json import MAX_BODY_BYTES
from neurobotanica import urls as site_urls
from tests.factories import make_target

pytestmark = pytest.mark.django_db


class EchoView(APIView):
    """Takes JSON."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        return Response({"got": request.data})


class BrokenView(EchoView):
    """Has a fault."""

    def get(self, request: Request) -> Response:
        raise RuntimeError("a secret detail of the fault")


class DatabaseDownView(EchoView):
    """Meets a database that is away."""

    def get(self, request: Request) -> Response:
        raise OperationalError("connection to 10.0.0.1 failed")


def broken_page(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret detail of the fault")


def page_without_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("connection to 10.0.0.1 failed")


urlpatterns = [
    path("api/test/plain-database-down/", page_without_database),
    path("test/database-down/", page_without_database),
    path("api/test/echo/", EchoView.as_view()),
    path("api/test/broken/", BrokenView.as_view()),
    path("api/test/plain-broken/", broken_page),
    path("api/test/database-down/", DatabaseDownView.as_view()),
    *site_urls.urlpatterns,
]
handler400, handler403 = site_urls.handler400, site_urls.handler403
handler404, handler500 = site_urls.handler404, site_urls.handler500


@pytest.fixture
def http(settings):
    settings.ROOT_URLCONF = __name__
    client = APIClient()
    client.raise_request_exception = False
    return client


def assert_problem(response, status: int) -> dict:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem: dict = json.loads(response.content)
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    return problem


def test_unknown_address_under_the_api_is_a_404_problem(http):
    assert_problem(http.get("/api/v1/nowhere/"), 404)


def test_the_404_of_an_address_and_of_a_record_are_the_same_bytes(http, make_api_client):
    from tests.factories import make_model_version

    make_model_version()
    record = make_api_client().http.get("/api/v1/predictions/practices/absent/targets/")
    assert record.content == http.get("/api/v1/nowhere/").content


def test_missing_key_is_a_401_problem_that_names_the_scheme(http):
    response = http.get("/api/v1/targets/")
    assert_problem(response, 401)
    assert response["WWW-Authenticate"] == "Api-Key"


@pytest.mark.parametrize("credentials", ["Api-Key", "Api-Key nonsense", "Api-Key a.b", "Api-Key a\x00b", "Bearer x"])
def test_bad_key_is_a_401_problem(http, credentials):
    assert_problem(http.get("/api/v1/targets/", HTTP_AUTHORIZATION=credentials), 401)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_wrong_method_is_a_405_problem_with_allow(make_api_client, method):
    response = getattr(make_api_client().http, method)("/api/v1/targets/")
    assert_problem(response, 405)
    assert response["Allow"] == "GET, HEAD"


def test_unacceptable_media_type_is_a_406_problem(make_api_client):
    assert_problem(make_api_client().http.get("/api/v1/targets/", headers={"Accept": "text/csv"}), 406)


def test_wrong_content_type_is_a_415_problem(http):
    assert_problem(http.post("/api/test/echo/", b"<a/>", content_type="application/xml"), 415)


def test_broken_json_is_a_400_problem(http):
    assert_problem(http.post("/api/test/echo/", b'{"a":', content_type="application/json"), 400)


def test_body_that_is_too_large_is_a_413_problem(http):
    body = b'"' + b"x" * MAX_BODY_BYTES + b'"'
    assert_problem(http.post("/api/test/echo/", body, content_type="application/json"), 413)


def test_body_of_the_largest_size_is_read(http):
    body = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert http.post("/api/test/echo/", body, content_type="application/json").status_code == 200


def test_compressed_body_is_a_415_problem_that_says_what_is_taken(http):
    response = http.post("/api/test/echo/", b"{}", content_type="application/json", HTTP_CONTENT_ENCODING="gzip")
    assert_problem(response, 415)
    assert response["Accept-Post"] == "application/json"


def test_limit_is_a_429_problem_with_retry_after(http, settings):
    settings.ANONYMOUS_REQUESTS_PER_MINUTE = 1
    http.get("/api/v1/targets/")
    response = http.get("/api/v1/targets/")
    assert "Retry-After" in assert_problem(response, 429)["detail"]
    assert int(response["Retry-After"]) >= 1


def test_missing_scope_is_a_403_problem_that_names_it(http):
    client = client_create(organisation="Synthetic", audience=Audience.RESEARCH)
    _, text = api_key_create(client=client, name="k", scopes=[Scope.USAGE])
    response = http.get("/api/v1/targets/", HTTP_AUTHORIZATION=f"Api-Key {text}")
    assert "catalogue" in assert_problem(response, 403)["detail"]


@pytest.mark.parametrize("method", ["get", "options"])
def test_no_other_origin_is_let_in(make_api_client, method):
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    response = getattr(make_api_client().http, method)("/api/v1/targets/", headers=origin)
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


def test_answers_are_compressed_for_those_who_ask(make_api_client):
    for _ in range(10):
        make_target()
    http = make_api_client().http
    response = http.get("/api/v1/targets/", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(response.content))["results"]) == 10
    assert {"Accept-Encoding", "Authorization"} <= {name.strip() for name in response["Vary"].split(",")}
    again = http.get("/api/v1/targets/", headers={"Accept-Encoding": "gzip", "If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_pages_with_forms_are_not_compressed(http):
    assert not http.get("/admin/login/", headers={"Accept-Encoding": "gzip"}).has_header("Content-Encoding")


def test_a_deprecated_endpoint_says_since_when_and_until_when(make_api_client, monkeypatch):
    going = Deprecation(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "/docs/changes")
    monkeypatch.setattr(TargetListView, "deprecation", going)
    response = make_api_client().http.get("/api/v1/targets/")
    assert response["Deprecation"] == "@1767225600"
    assert response["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert response["Link"] == '</docs/changes>; rel="deprecation"'


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:port", "a b", ""])
@pytest.mark.parametrize("address", ["/api/v1/targets/", "/api/docs/", "/api/v1/nowhere/", "/api/v1/targets"])
def test_unknown_host_is_a_400_problem_with_the_id_of_the_request(http, address, host):
    response = http.get(address, headers={"Host": host, "X-Request-ID": "host-request-1"})
    assert_problem(response, 400)
    assert response["X-Request-ID"] == "host-request-1"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/healthz", 200), ("/readyz", 200), ("/nowhere/", 404), ("/admin/", 302), ("/admin/login/", 200),
        ("/static/neurobotanica/admin.css", 200), ("/api/schema/", 200), ("/api/v1/nowhere/", 404), ("/api/v1/targets", 301),
        ("/api/v1/targets/", 401), ("/api/test/broken/", 500), ("/api/test/plain-broken/", 500),
        ("/api/test/database-down/", 503),
    ],
)  # fmt: skip
def test_every_answer_carries_an_id_of_its_own(http, address, status):
    answers = [http.get(address) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    for answer in answers:
        answer.close()
    ids = {answer["X-Request-ID"] for answer in answers}
    assert len(ids) == 2 and all(len(given) == 32 for given in ids)


@pytest.mark.parametrize(("host", "status"), [("evil.example", 400), ("127.0.0.1", 200)])
def test_a_page_outside_the_api_refuses_a_host_with_the_id_of_the_request(host, status):
    response = Client().get("/admin/login/", headers={"Host": host, "X-Request-ID": "host-request-2"})
    assert (response.status_code, response["X-Request-ID"]) == (status, "host-request-2")


@pytest.mark.parametrize("address", ["/api/test/broken/", "/api/test/plain-broken/"])
def test_fault_is_a_500_problem_that_tells_no_detail_and_is_logged(http, address, caplog):
    response = http.get(address)
    assert "RuntimeError" in caplog.text
    assert_problem(response, 500)
    assert b"secret" not in response.content


@pytest.mark.parametrize("address", ["/api/test/database-down/", "/api/test/plain-database-down/"])
def test_database_away_is_a_503_problem_with_retry_after(http, address):
    response = http.get(address)
    assert_problem(response, 503)
    assert response["Retry-After"] == "5"
    assert b"10.0.0.1" not in response.content


def test_a_page_outside_the_api_says_503_as_well_where_the_database_is_away(http):
    response = http.get("/test/database-down/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert b"10.0.0.1" not in response.content


@pytest.mark.parametrize("address", ["/api/docs/", "/api/redoc/", "/api/schema/"])
def test_documentation_takes_no_options(http, address):
    assert_problem(http.options(address), 405)


def test_pages_outside_the_api_keep_their_own_errors(settings):
    settings.ROOT_URLCONF = __name__
    response = Client().get("/nowhere/")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
