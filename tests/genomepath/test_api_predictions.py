"""Predictions over HTTP: what an answer holds, and how strictly a question is read."""

from __future__ import annotations

import json

import pytest

from correlations.models import CorrelationEvidence, DosageProfile
from ethics.models import AuditEvent, ItemLabel, Label
from tests.factories import make_catalogue, make_correlation, make_evidence, make_synergy

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue():
    return make_catalogue()


def practice_url(slug: str) -> str:
    return f"/api/v1/predictions/practices/{slug}/targets/"


def target_url(symbol: str) -> str:
    return f"/api/v1/predictions/targets/{symbol}/practices/"


def test_targets_for_a_practice_come_ranked_with_attribution_and_model(catalogue, make_api_client):
    practice = catalogue.practices[0]
    client = make_api_client()

    response = client.http.get(practice_url(practice.slug), {"dose": "low", "k": "2"})

    assert response.status_code == 200
    answer = json.loads(response.content)
    assert [entry["target"]["symbol"] for entry in answer["predictions"]] == [
        target.symbol for target in catalogue.targets[:2]
    ]
    assert [entry["rank"] for entry in answer["predictions"]] == [1, 2]
    assert answer["predictions"][0]["confidence"] == 0.5
    attribution = answer["practice"]["attribution"]
    assert attribution["community"]["slug"] == practice.item.community.slug
    assert attribution["statement"] == practice.item.attribution.statement
    assert attribution["basis"]["kind"] == "documented_and_published"
    assert answer["practice"]["sources"][0]["reference"] == practice.sources.get().reference
    assert answer["model"]["sha256"] == catalogue.version.sha256
    assert answer["policy"]["audience"] == "commercial"
    assert "Not medical advice" in answer["note"]


def test_practices_for_a_target_come_each_with_its_own_attribution(catalogue, make_api_client):
    response = make_api_client().http.get(target_url(catalogue.targets[0].symbol))

    answer = json.loads(response.content)
    assert [entry["practice"]["slug"] for entry in answer["predictions"]] == [
        practice.slug for practice in catalogue.practices
    ]
    assert [entry["practice"]["attribution"]["statement"] for entry in answer["predictions"]] == [
        practice.item.attribution.statement for practice in catalogue.practices
    ]
    assert {profile["level"] for profile in answer["predictions"][0]["dosage"]} == {"low", "medium", "high"}


def test_symbol_is_found_in_any_case_and_answered_in_its_own(catalogue, make_api_client):
    symbol = catalogue.targets[0].symbol
    answer = json.loads(make_api_client().http.get(target_url(symbol.lower())).content)
    assert answer["target"]["symbol"] == symbol


def test_without_a_dose_the_answer_is_for_medium_and_says_so(catalogue, make_api_client):
    client = make_api_client()
    default = json.loads(client.http.get(practice_url(catalogue.practices[0].slug)).content)
    asked = json.loads(client.http.get(practice_url(catalogue.practices[0].slug), {"dose": "medium"}).content)
    assert (default["dose"]["level"], default["dose"]["chosen_by"]) == ("medium", "default")
    assert (asked["dose"]["level"], asked["dose"]["chosen_by"]) == ("medium", "request")


def test_dose_guidance_names_its_basis(catalogue, make_api_client):
    practice = catalogue.practices[0]
    evidence = make_evidence(reference="Synthetic dose reference")
    DosageProfile.objects.filter(practice=practice, level="high").update(
        basis="sourced", amount_range="2-4 units", evidence=evidence
    )
    answer = json.loads(make_api_client().http.get(practice_url(practice.slug), {"dose": "high"}).content)
    assert answer["dose"]["basis"] == "sourced"
    assert answer["dose"]["amount_range"] == "2-4 units"
    assert answer["dose"]["source"]["reference"] == "Synthetic dose reference"


def test_evidence_is_validated_only_by_an_approved_correlation_at_the_dose(catalogue, make_api_client):
    practice = catalogue.practices[0]
    approved = make_correlation(practice, catalogue.targets[0], dose="low", dose_basis="sourced", status="approved")
    evidence = make_evidence(reference="Synthetic correlation reference")
    CorrelationEvidence.objects.create(correlation=approved, evidence=evidence)
    make_correlation(practice, catalogue.targets[1], dose="low", status="draft")
    client = make_api_client()

    low = json.loads(client.http.get(practice_url(practice.slug), {"dose": "low"}).content)["predictions"]
    high = json.loads(client.http.get(practice_url(practice.slug), {"dose": "high"}).content)["predictions"]

    assert [entry["evidence"]["status"] for entry in low] == ["validated", *["predicted_only"] * 3]
    assert low[0]["evidence"]["sources"][0]["reference"] == "Synthetic correlation reference"
    assert high[0]["evidence"] == {"status": "predicted_only", "sourced_doses": ["low"], "sources": []}


def test_a_modelled_dose_counts_as_no_evidence_for_the_dose(catalogue, make_api_client):
    practice = catalogue.practices[0]
    make_correlation(practice, catalogue.targets[0], dose="low", dose_basis="modelled", status="approved")

    low = json.loads(make_api_client().http.get(practice_url(practice.slug), {"dose": "low"}).content)["predictions"]

    assert low[0]["evidence"] == {"status": "validated", "sourced_doses": [], "sources": []}


def test_synergies_are_listed_when_both_targets_are_in_the_answer(catalogue, make_api_client):
    make_synergy(catalogue.targets[0], catalogue.targets[2])
    client = make_api_client()
    url = practice_url(catalogue.practices[0].slug)

    three = json.loads(client.http.get(url, {"k": 3}).content)["synergies"]
    two = json.loads(client.http.get(url, {"k": 2}).content)["synergies"]

    assert set(three[0]["targets"]) == {catalogue.targets[0].symbol, catalogue.targets[2].symbol}
    assert three[0]["source"]["reference"]
    assert two == []


def test_labels_of_the_community_stand_in_the_attribution(catalogue, make_api_client):
    practice = catalogue.practices[0]
    label = Label.objects.create(
        code="TK X", kind="TK", name="Example", meaning="general meaning", source_url="https://example.org", rule="none"
    )
    ItemLabel.objects.create(item=practice.item, label=label, community_text="our own words")
    answer = json.loads(make_api_client().http.get(practice_url(practice.slug)).content)
    assert answer["practice"]["attribution"]["labels"][0]["meaning"] == "our own words"


def test_provisional_model_says_that_a_baseline_ranks_better(make_api_client):
    catalogue = make_catalogue(provisional=True)
    answer = json.loads(make_api_client().http.get(practice_url(catalogue.practices[0].slug)).content)
    assert answer["model"]["provisional"] is True
    assert "baseline" in answer["model"]["statement"]


def test_answers_make_no_claim_that_a_practice_works(catalogue, make_api_client):
    client = make_api_client()
    texts = [
        client.http.get(practice_url(catalogue.practices[0].slug)).content.decode().lower(),
        client.http.get(target_url(catalogue.targets[0].symbol)).content.decode().lower(),
    ]
    for text in texts:
        assert not [word for word in ("effective", "cures", "treats", "heals", "efficacy") if word in text]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("k=0", "k"),
        ("k=101", "k"),
        ("k=-1", "k"),
        ("k=1.5", "k"),
        ("k=", "k"),
        ("k=%D9%A1", "k"),
        ("k=99999999999999999999", "k"),
        ("k=1&k=2", "k"),
        ("dose=huge", "dose"),
        ("dose=", "dose"),
        ("dose=low%00", "dose"),
        ("limit=3", "limit"),
        ("K=3", "K"),
    ],
)
def test_bad_parameter_is_refused_by_name(catalogue, make_api_client, query, parameter):
    response = make_api_client().http.get(practice_url(catalogue.practices[0].slug) + "?" + query)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert [error["parameter"] for error in json.loads(response.content)["errors"]] == [parameter]


def test_dose_is_not_a_parameter_of_the_gene_direction(catalogue, make_api_client):
    response = make_api_client().http.get(target_url(catalogue.targets[0].symbol), {"dose": "low"})
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["a%00b", "..%2f..%2fetc", "%E2%80%AEtxt", "x" * 5000, "a b", "'; drop table x"])
def test_hostile_names_are_simply_not_found(catalogue, make_api_client, path):
    client = make_api_client()
    for url in (practice_url(path), target_url(path)):
        response = client.http.get(url)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


def test_no_model_in_service_is_503_with_a_text(make_api_client):
    response = make_api_client().http.get(practice_url("anything"))
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "No model is in service" in json.loads(response.content)["detail"]


def test_answer_is_recorded_with_client_request_and_communities(catalogue, make_api_client):
    client = make_api_client()
    client.http.get(target_url(catalogue.targets[0].symbol), headers={"X-Request-ID": "request-0001"})

    event = AuditEvent.objects.get(event_type="prediction.served")
    assert event.subject_ids == [str(practice.item.public_id) for practice in catalogue.practices]
    assert event.community_ids == sorted(practice.item.community.slug for practice in catalogue.practices)
    assert event.client_id == str(client.record.public_id)
    assert event.request_id == "request-0001"
    assert event.purpose == "prediction"
    assert event.model_sha256 == catalogue.version.sha256
    assert event.details == {"direction": "genomic_to_tk", "count": 3}


def test_cached_answer_is_recorded_each_time(catalogue, make_api_client):
    client = make_api_client()
    for _ in range(3):
        assert client.http.get(practice_url(catalogue.practices[0].slug)).status_code == 200
    assert AuditEvent.objects.filter(event_type="prediction.served").count() == 3


def test_known_etag_is_304_and_recorded(catalogue, make_api_client):
    client = make_api_client()
    url = practice_url(catalogue.practices[0].slug)
    first = client.http.get(url)
    again = client.http.get(url, headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]
    assert AuditEvent.objects.filter(event_type="prediction.served").count() == 2


@pytest.mark.parametrize("held", ["W/{}", '"other", {}', "*"])
def test_an_etag_is_known_in_every_form(catalogue, make_api_client, held):
    http = make_api_client().http
    url = practice_url(catalogue.practices[0].slug)
    etag = http.get(url)["ETag"]
    assert http.get(url, headers={"If-None-Match": held.format(etag)}).status_code == 304


@pytest.mark.parametrize("header", [{"If-Match": '"other"'}, {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}])
def test_conditions_of_writers_mean_nothing_to_a_reader(catalogue, make_api_client, header):
    assert make_api_client().http.get(practice_url(catalogue.practices[0].slug), headers=header).status_code == 200


def test_headers_keep_answers_out_of_shared_caches(catalogue, make_api_client):
    response = make_api_client().http.get(
        practice_url(catalogue.practices[0].slug), headers={"X-Request-ID": "request-0002"}
    )
    assert "private" in response["Cache-Control"]
    assert "Authorization" in response["Vary"]
    assert response["X-Request-ID"] == "request-0002"


def test_key_is_required(catalogue, make_api_client, client):
    response = client.get(practice_url(catalogue.practices[0].slug))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert not AuditEvent.objects.filter(event_type__startswith="prediction.").exists()


def test_known_prediction_costs_two_queries(catalogue, make_api_client, django_assert_num_queries):
    client = make_api_client()
    url = practice_url(catalogue.practices[0].slug)
    client.http.get(url)
    with django_assert_num_queries(2):  # revisions, audit event
        client.http.get(url)
