"""The OpenAPI document is valid and tells the truth about the answers."""

from __future__ import annotations

import json

import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from correlations.models import CorrelationEvidence
from ethics.models import ItemLabel, Label
from genomepath.api.examples import PRACTICE_ANSWER, TARGET_ANSWER
from tests.factories import make_catalogue, make_correlation, make_evidence, make_synergy
from tests.service_home import PROJECT_ROOT

PREDICTIONS = {
    "/api/v1/predictions/practices/{slug}/targets/": "PracticePredictions",
    "/api/v1/predictions/targets/{symbol}/practices/": "TargetPredictions",
}


@pytest.fixture
def document(client):
    response = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    return json.loads(response.content)


def _closed(node):
    """The schema with every object closed, so that an undescribed member is a violation."""
    if isinstance(node, dict):
        closed = {key: _closed(value) for key, value in node.items()}
        return {**closed, "additionalProperties": False} if node.get("type") == "object" else closed
    return [_closed(entry) for entry in node] if isinstance(node, list) else node


def assert_matches(document: dict, name: str, answer: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": _closed(document["components"])}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []


def test_document_is_valid_openapi_3_1(document):
    validate_schema(document)
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["ApiKey"]["name"] == "Authorization"


@pytest.mark.parametrize("address", PREDICTIONS)
def test_every_status_of_a_prediction_is_documented(document, address):
    responses = document["paths"][address]["get"]["responses"]
    assert set(responses) == {"200", "304", "400", "401", "404", "405", "406", "429", "500", "503"}
    assert "application/problem+json" in responses["404"]["content"]
    assert responses["200"]["content"]["application/json"]["examples"]


def test_dose_default_and_bounds_of_k_are_documented(document):
    parameters = {
        entry["name"]: entry
        for entry in document["paths"]["/api/v1/predictions/practices/{slug}/targets/"]["get"]["parameters"]
    }
    assert parameters["dose"]["schema"]["default"] == "medium"
    assert (parameters["k"]["schema"]["minimum"], parameters["k"]["schema"]["maximum"]) == (1, 100)


def test_examples_match_the_schema(document):
    assert_matches(document, "PracticePredictions", PRACTICE_ANSWER)
    assert_matches(document, "TargetPredictions", TARGET_ANSWER)


def test_the_answer_in_the_readme_matches_the_schema(document):
    shown = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    assert_matches(document, "PracticePredictions", json.loads(shown))


@pytest.mark.django_db
def test_real_answers_match_the_schema(document, make_api_client):
    catalogue = make_catalogue(provisional=True)
    practice, targets = catalogue.practices[0], catalogue.targets
    correlation = make_correlation(practice, targets[0], dose="medium")
    CorrelationEvidence.objects.create(correlation=correlation, evidence=make_evidence(year=1999))
    make_synergy(targets[0], targets[1])
    label = Label.objects.create(
        code="TK X", kind="TK", name="Example", meaning="m", source_url="https://example.org", rule="none"
    )
    ItemLabel.objects.create(item=practice.item, label=label)
    http = make_api_client().http
    answers = {
        "PracticePredictions": f"/api/v1/predictions/practices/{practice.slug}/targets/",
        "TargetPredictions": f"/api/v1/predictions/targets/{targets[0].symbol}/practices/",
        "PracticePage": "/api/v1/practices/",
        "TargetPage": "/api/v1/targets/",
        "Problem": "/api/v1/targets/?nonsense=1",
    }
    for name, url in answers.items():
        assert_matches(document, name, json.loads(http.get(url).content))


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/docs/", "/api/redoc/"])
def test_documentation_pages_load_nothing_from_elsewhere(client, address):
    page = client.get(address)
    assert page.status_code == 200
    text = page.content.decode()
    assert "drf_spectacular_sidecar" in text
    assert "//cdn" not in text and "googleapis" not in text


def test_documentation_assets_are_served_by_the_site(client):
    from django.contrib.staticfiles import finders

    assert finders.find("drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")
    assert finders.find("drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js")
