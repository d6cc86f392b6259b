"""The OpenAPI document is valid and tells the truth about the answers."""

from __future__ import annotations

import json

import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from correlations.models import CorrelationEvidence
from ethics.models import ItemLabel, Label
from tests.factories import make_catalogue, make_correlation, make_evidence, make_synergy
from tests.service_home import PROJECT_ROOT


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


def test_dose_default_and_bounds_of_k_are_documented(document):
    parameters = {
        entry["name"]: entry
        for entry in document["paths"]["/api/v1/predictions/practices/{slug}/targets/"]["get"]["parameters"]
    }
    assert parameters["dose"]["schema"]["default"] == "medium"
    assert (parameters["k"]["schema"]["minimum"], parameters["k"]["schema"]["maximum"]) == (1, 100)


def _operations(document):
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {address}", operation


def test_every_example_matches_its_schema(document):
    checked = 0
    for name, operation in _operations(document):
        parts = [operation["requestBody"]] if "requestBody" in operation else []
        for part in (*parts, *operation["responses"].values()):
            for media in part.get("content", {}).values():
                schema = {**media["schema"], "components": _closed(document["components"])}
                for example in media.get("examples", {}).values():
                    checked += 1
                    errors = [error.message for error in Draft202012Validator(schema).iter_errors(example["value"])]
                    assert errors == [], name
    assert checked > 100


def test_every_endpoint_describes_its_errors_and_gives_an_example(document):
    for name, operation in _operations(document):
        statuses = set(operation["responses"])
        assert {"200", "400", "401", "403", "404", "405", "406", "429", "500", "503"} <= statuses, name
        assert ("304" in statuses) == name.startswith("get "), name
        assert ({"413", "415", "422"} <= statuses) == name.startswith("post "), name
        assert operation["responses"]["200"]["content"]["application/json"]["examples"], name
        assert operation["summary"] and "scope" in operation["description"], name
        for status in statuses - {"200", "304"}:
            assert set(operation["responses"][status]["content"]) == {"application/problem+json"}, name


def test_bodies_are_required_and_closed(document):
    components = document["components"]["schemas"]
    for name, operation in _operations(document):
        if name.startswith("post "):
            assert operation["requestBody"]["required"], name
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert components[reference.rsplit("/", 1)[1]]["additionalProperties"] is False, name
    assert all(
        components[entry["$ref"].rsplit("/", 1)[1]]["additionalProperties"] is False
        for entry in components["BatchQuestion"]["oneOf"]
    )


def test_links_lead_to_operations_and_parameters_that_there_are(document):
    operations = {operation["operationId"]: operation for _, operation in _operations(document)}
    links = [
        link for operation in operations.values() for link in operation["responses"]["200"].get("links", {}).values()
    ]
    for link in links:
        known = {f"{entry['in']}.{entry['name']}" for entry in operations[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= known, link
    assert len(links) > 5


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
        "CorrelationPage": "/api/v1/correlations/",
        "EvidencePage": "/api/v1/evidence/",
        "SynergyPage": "/api/v1/synergies/",
        "DosageProfilePage": "/api/v1/dosage-profiles/",
        "Explanation": f"/api/v1/predictions/practices/{practice.slug}/targets/{targets[0].symbol}/explanation/",
        "ModelCard": "/api/v1/model/",
        "CommunityAttribution": f"/api/v1/communities/{practice.item.community.slug}/attribution/",
        "Usage": "/api/v1/usage/",
        "Problem": "/api/v1/targets/?nonsense=1",
    }
    for name, url in answers.items():
        assert_matches(document, name, json.loads(http.get(url).content))
    questions = {"questions": [{"practice": practice.slug}, {"target": targets[0].symbol}, {"target": "NONE"}, {}]}
    batch = http.post("/api/v1/predictions/batch/", questions, format="json")
    assert [result["status"] for result in json.loads(batch.content)["results"]] == [200, 200, 404, 400]
    assert_matches(document, "BatchResponse", json.loads(batch.content))


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
