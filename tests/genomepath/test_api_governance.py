"""The API shows what the policy allows, from the next request on, and answers hidden as absent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from correlations.vocabulary import Direction
from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, ItemLabel, Label
from ethics.policy import Audience, Basis, ConsentState, LabelRule, Purpose, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath.asked_practice import NO_SUCH_ITEM
from genomepath.serving import PredictionQuestion, SubjectNotFound, prediction_serve
from tests.database_roles import as_owner
from tests.factories import make_catalogue, make_correlation, make_item, make_model_version, make_practice, publish
from tests.factories import make_target as make_gene

CANARY = "canary-7f3e-sacred-name"


def practice_url(slug: str) -> str:
    return f"/api/v1/predictions/practices/{slug}/targets/"


def target_url(symbol: str) -> str:
    return f"/api/v1/predictions/targets/{symbol}/practices/"


@pytest.fixture
def catalogue():
    return make_catalogue()


@pytest.mark.django_db
def test_hidden_practice_answers_exactly_as_an_absent_one(catalogue, make_api_client):
    hidden = catalogue.practices[0]
    item_set_status(item=hidden.item, status=SacredStatus.SACRED)
    client = make_api_client()
    client.http.get(practice_url("warm-up"))

    with CaptureQueriesContext(connection) as for_hidden:
        of_hidden = client.http.get(practice_url(hidden.slug))
    with CaptureQueriesContext(connection) as for_absent:
        of_absent = client.http.get(practice_url("no-such-practice"))

    assert of_hidden.status_code == of_absent.status_code == 404
    assert of_hidden.content == of_absent.content
    volatile = {"X-Request-ID", "RateLimit"}
    assert {k: v for k, v in of_hidden.items() if k not in volatile} == {
        k: v for k, v in of_absent.items() if k not in volatile
    }
    assert len(for_hidden) == len(for_absent)


@pytest.mark.django_db
def test_refused_event_names_the_item_of_a_hidden_practice_and_no_item_for_an_absent_one(catalogue, make_api_client):
    hidden = catalogue.practices[0]
    item_set_status(item=hidden.item, status=SacredStatus.SACRED)
    client = make_api_client()
    client.http.get(practice_url(hidden.slug))
    client.http.get(practice_url("no-such-practice"))

    of_absent, of_hidden = AuditEvent.objects.filter(event_type="prediction.refused").order_by("-id")[:2]
    assert of_hidden.subject_ids == [str(hidden.item.public_id)]
    assert of_absent.subject_ids == [NO_SUCH_ITEM]
    assert "no-such-practice" not in of_absent.canonical
    assert hidden.slug not in of_hidden.canonical


@pytest.mark.django_db
def test_withdrawal_takes_effect_on_the_next_request_in_both_directions(make_api_client):
    item = make_item(basis=Basis.CONSENT, basis_source="")
    consent = consent_record(
        community=item.community,
        items=[item],
        purposes=[Purpose.PREDICTION],
        audiences=[Audience.COMMERCIAL],
        state=ConsentState.GRANTED,
        valid_from=timezone.now() - timedelta(days=1),
        document_reference="synthetic",
        recorded_by="test",
    )
    practice, target = make_practice(item=item), make_gene()
    publish(make_model_version(), [practice], [target])
    client = make_api_client()
    answer = json.loads(client.http.get(practice_url(practice.slug)).content)
    assert answer["practice"]["attribution"]["basis"]["consent_reference"] == str(consent.public_id)
    assert len(json.loads(client.http.get(target_url(target.symbol)).content)["predictions"]) == 1

    consent_withdraw(consent=consent, reason="the community decided so")

    assert client.http.get(practice_url(practice.slug)).status_code == 404
    assert json.loads(client.http.get(target_url(target.symbol)).content)["predictions"] == []


@pytest.mark.django_db
def test_withheld_practice_leaves_no_gap_in_the_gene_direction(catalogue, make_api_client):
    hidden = catalogue.practices[0]
    make_correlation(hidden, catalogue.targets[0])
    client = make_api_client()
    client.http.get(target_url(catalogue.targets[0].symbol))

    item_record_objection(item=hidden.item, reference="synthetic letter", reason="objection")
    response = client.http.get(target_url(catalogue.targets[0].symbol))

    answer = json.loads(response.content)
    assert [(entry["rank"], entry["practice"]["slug"]) for entry in answer["predictions"]] == [
        (1, catalogue.practices[1].slug),
        (2, catalogue.practices[2].slug),
    ]
    assert hidden.slug not in response.content.decode()


@pytest.mark.django_db
def test_gene_without_permitted_practices_shows_an_empty_list_and_serves_nobodys_knowledge(make_api_client):
    catalogue = make_catalogue(practices=1)
    item_set_status(item=catalogue.practices[0].item, status=SacredStatus.SACRED)
    response = make_api_client().http.get(target_url(catalogue.targets[0].symbol))
    assert json.loads(response.content)["predictions"] == []
    assert AuditEvent.objects.filter(event_type="prediction.refused").count() == 1
    assert not AuditEvent.objects.filter(event_type="prediction.served").exists()


@pytest.mark.django_db
def test_answers_do_not_cross_audiences(catalogue, make_api_client):
    practice = catalogue.practices[0]
    label = Label.objects.create(
        code="TK NC",
        kind="TK",
        name="Non-commercial",
        meaning="m",
        source_url="https://example.org",
        rule=LabelRule.NON_COMMERCIAL.value,
    )
    ItemLabel.objects.create(item=practice.item, label=label)
    research, commercial = make_api_client(Audience.RESEARCH), make_api_client(Audience.COMMERCIAL)

    assert research.http.get(practice_url(practice.slug)).status_code == 200
    assert commercial.http.get(practice_url(practice.slug)).status_code == 404
    listed = json.loads(commercial.http.get("/api/v1/practices/").content)["results"]
    assert practice.slug not in {entry["slug"] for entry in listed}


@pytest.mark.django_db
def test_sacred_canary_is_in_no_answer_header_event_or_log_line(make_api_client, caplog):
    caplog.set_level("DEBUG")
    secret = make_practice(title=CANARY, slug=CANARY, contraindications=[CANARY])
    others, target = [make_practice()], make_gene()
    publish(make_model_version(), [secret, *others], [target])
    item_set_status(item=secret.item, status=SacredStatus.SACRED, protected_names=[CANARY])
    client = make_api_client()

    responses = [
        client.http.get(practice_url(CANARY)),
        client.http.get(practice_url(others[0].slug)),
        client.http.get(target_url(target.symbol)),
        client.http.get("/api/v1/practices/", {"search": "canary"}),
        client.http.get("/api/v1/practices/"),
        client.http.get("/metrics"),
    ]

    for response in responses:
        assert CANARY not in response.content.decode() + str(response.items())
    assert not [event for event in AuditEvent.objects.all() if CANARY in event.canonical]
    assert CANARY not in caplog.text


def test_no_answer_goes_out_without_its_audit_event(committed_database, django_db_blocker, make_api_client):
    with django_db_blocker.unblock():
        catalogue, client = make_catalogue(), make_api_client()
        client.http.raise_request_exception = False
        url = practice_url(catalogue.practices[0].slug)
        assert client.http.get(url).status_code == 200
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE ethics_auditevent ADD CONSTRAINT nothing_served"
                " CHECK (event_type <> 'prediction.served') NOT VALID"
            )
        response = client.http.get(url)

    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert catalogue.targets[0].symbol not in response.content.decode()


def _granted(item, *, start, end=None):
    return consent_record(
        community=item.community,
        items=[item],
        purposes=[Purpose.PREDICTION],
        audiences=[Audience.RESEARCH],
        state=ConsentState.GRANTED,
        valid_from=start,
        valid_until=end,
        document_reference="synthetic",
        recorded_by="test",
    )


@pytest.mark.django_db
def test_cached_answer_is_not_served_after_its_consent_expired():
    now = timezone.now()
    item = make_item(basis=Basis.CONSENT, basis_source="")
    _granted(item, start=now - timedelta(days=1), end=now + timedelta(seconds=30))
    practice = make_practice(item=item)
    publish(make_model_version(), [practice], [make_gene()])
    question = PredictionQuestion(Direction.TK_TO_GENOMIC, practice.slug, 3)

    assert prediction_serve(question=question, audience=Audience.RESEARCH, now=now).count == 1
    with pytest.raises(SubjectNotFound):
        prediction_serve(question=question, audience=Audience.RESEARCH, now=now + timedelta(seconds=30))


@pytest.mark.django_db
def test_cached_answer_is_renewed_when_another_consent_starts():
    now = timezone.now()
    item = make_item(basis=Basis.CONSENT, basis_source="")
    _granted(item, start=now + timedelta(seconds=20))
    waiting, always, target = make_practice(item=item), make_practice(), make_gene()
    publish(make_model_version(), [waiting, always], [target])
    question = PredictionQuestion(Direction.GENOMIC_TO_TK, target.symbol, 8)

    assert prediction_serve(question=question, audience=Audience.RESEARCH, now=now).count == 1
    later = now + timedelta(seconds=20)
    assert prediction_serve(question=question, audience=Audience.RESEARCH, now=later).count == 2
