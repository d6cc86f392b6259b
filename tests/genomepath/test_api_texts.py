"""Predictions for texts over HTTP: scored on onnxruntime, through the gate of free text, credited and recorded."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from correlations.vocabulary import Dose
from ethics.models import AuditEvent
from ethics.policy import Audience, SacredStatus
from ethics.stewardship import item_set_status
from genomepath.artefacts import artefact_root, model_folder
from genomepath.ml.checkpoint import update_manifest
from genomepath.ml.inference import score_new_practice
from genomepath.ml.known_targets import FILE as KNOWN_TARGETS
from genomepath.ml.published_scores import read_published_scores
from genomepath.ml.snapshot import PracticeRecord, read_snapshot
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState
from genomepath.text_engine import text_engine

CANARY = "canary-77aa-protected-name"
KNOWN = "A synthetic root decoction in a synthetic context, for synthetic condition 1"
GENE = {"name": "synthetic root protein", "pathways": ["training pathway 1"], "tissues": ["tissue one"]}
FAR = "The train to the coast leaves at noon."
TEXTS, DESCRIPTIONS = "/api/v1/predictions/texts/targets/", "/api/v1/predictions/descriptions/practices/"
BATCH = "/api/v1/predictions/batch/"


@pytest.fixture
def served(evaluated):
    """The trained model in service, and the catalogue it was trained on."""
    ModelVersion.objects.update(state=VersionState.ACTIVE.value)
    return evaluated


@pytest.fixture
def post(make_api_client):
    client = make_api_client(Audience.RESEARCH)

    def send(url: str, body: Any) -> Any:
        return client.http.post(url, body, format="json")

    return send


def test_a_text_gets_ranked_targets_and_credits_the_communities_behind_the_model(served, post):
    response = post(TEXTS, {"text": KNOWN, "dose": "low", "k": 3})
    answer = json.loads(response.content)
    assert [entry["rank"] for entry in answer["predictions"]] == [1, 2, 3]
    assert answer["dose"] == {"level": "low", "chosen_by": "request"}
    communities = {practice.item.community.slug for practice in served.catalogue.practices}
    assert {entry["slug"] for entry in answer["learned_from"]} == communities
    assert "Not medical advice" in answer["note"]
    event = AuditEvent.objects.get(event_type="prediction.served")
    assert (set(event.community_ids), event.details["direction"]) == (communities, "text_to_genomic")
    assert KNOWN not in event.canonical and event.client_id


def test_the_ranking_of_the_web_process_is_that_of_torch(served):
    from genomepath.ml.checkpoint import read_fitted_model
    from genomepath.ml.dataset import build_text_features
    from genomepath.ml.embedding import MiniLMEncoder

    version = ModelVersion.objects.get()
    fitted, encoder = read_fitted_model(model_folder(version)), MiniLMEncoder()
    snapshot = read_snapshot(artefact_root() / version.snapshot_folder)
    record = PracticeRecord("", KNOWN, "", (), "", "")
    logits = score_new_practice(fitted.model, build_text_features(snapshot, encoder), encoder, record).logits
    expected = read_published_scores(model_folder(version)).curves.of_targets(logits[None])[0]
    for level, dose in enumerate(Dose):
        found = dict(text_engine(version).ranked_targets(record, dose))
        assert max(abs(found[symbol] - expected[level, place]) for place, symbol in enumerate(fitted.targets)) < 1e-4


def test_a_description_gets_ranked_practices_each_with_its_attribution(served, post):
    hidden = served.catalogue.practices[0]
    item_set_status(item=hidden.item, status=SacredStatus.SACRED, protected_names=[CANARY])
    answer = json.loads(post(DESCRIPTIONS, {**GENE, "k": 100}).content)
    shown = [entry["practice"]["slug"] for entry in answer["predictions"]]
    assert sorted(shown) == sorted(practice.slug for practice in served.catalogue.practices[1:])
    assert [entry["rank"] for entry in answer["predictions"]] == list(range(1, len(shown) + 1))
    assert all(entry["practice"]["attribution"]["statement"] for entry in answer["predictions"])
    event = AuditEvent.objects.get(event_type="prediction.served")
    assert str(hidden.item.public_id) not in event.subject_ids and len(event.subject_ids) == len(shown)


def test_what_names_the_protected_and_what_is_about_nothing_get_the_same_answer(served, post):
    item_set_status(item=served.catalogue.practices[0].item, status=SacredStatus.SACRED, protected_names=[CANARY])
    answers = {post(TEXTS, {"text": text}).content for text in (f"{KNOWN} {CANARY}", FAR)}
    assert len(answers) == 1
    assert json.loads(answers.pop())["abstained"]
    described = json.loads(post(DESCRIPTIONS, {**GENE, "diseases": [CANARY]}).content)
    assert described["abstained"] and described["predictions"] == []
    assert [event.details["reasons"] for event in AuditEvent.objects.filter(event_type="text.withheld").order_by("pk")] == [
        ["named"], ["far"], ["named"],
    ]  # fmt: skip


def test_a_description_far_from_every_known_target_gets_no_answer_and_its_reason_stays_in_the_log(served, post):
    answer = json.loads(post(DESCRIPTIONS, {"findings": FAR}).content)
    assert answer["abstained"] and answer["predictions"] == []
    [event] = AuditEvent.objects.filter(event_type="text.withheld")
    assert (event.details["reasons"], event.subject_ids) == (["far"], [])


def test_one_known_field_is_enough_for_a_description(served, post):
    assert not json.loads(post(DESCRIPTIONS, {"findings": FAR, "pathways": GENE["pathways"]}).content)["abstained"]


def test_a_model_from_before_known_targets_were_kept_answers_every_description(served, post):
    folder = model_folder(ModelVersion.objects.get())
    (folder / KNOWN_TARGETS).unlink()
    update_manifest(folder)
    assert not json.loads(post(DESCRIPTIONS, {"findings": FAR}).content)["abstained"]


def test_a_batch_takes_texts_where_the_key_has_the_scope(served, post, make_api_client):
    body = {"questions": [{"text": KNOWN, "k": 1}, {"text": " "}]}
    results = json.loads(post(BATCH, body).content)["results"]
    assert [result["status"] for result in results] == [200, 400]
    assert results[0]["answer"]["direction"] == "text_to_genomic"
    many = post(BATCH, {"questions": [{"text": KNOWN}] * 11})
    assert many.status_code == 400


def test_damaged_files_are_503_and_the_catalogue_is_still_answered(served, post, make_api_client):
    shutil.rmtree(model_folder(ModelVersion.objects.get()))
    ModelVersion.objects.update(sha256="f" * 64)
    response = post(TEXTS, {"text": KNOWN})
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert post(DESCRIPTIONS, GENE).status_code == 503
    assert make_api_client().http.get("/api/v1/practices/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "body", "parameter"),
    [
        (TEXTS, {}, "text"),
        (TEXTS, {"text": ""}, "text"),
        (TEXTS, {"text": 5}, "text"),
        (TEXTS, {"text": "a\x00b"}, "text"),
        (TEXTS, {"text": "a" * 4001}, "text"),
        (TEXTS, {"text": "a", "k": True}, "k"),
        (TEXTS, {"text": "a", "k": 0}, "k"),
        (TEXTS, {"text": "a", "dose": "huge"}, "dose"),
        (TEXTS, {"text": "a", "dose": ["low"]}, "dose"),
        (TEXTS, {"text": "a", "audience": "community"}, "audience"),
        (TEXTS, ["a"], ""),
        (DESCRIPTIONS, {}, ""),
        (DESCRIPTIONS, {"name": "a", "findings": "b"}, ""),
        (DESCRIPTIONS, {"name": "a", "tissues": "brain"}, "tissues"),
        (DESCRIPTIONS, {"name": "a", "pathways": [1]}, "pathways"),
        (DESCRIPTIONS, {"name": "a", "diseases": ["x"] * 21}, "diseases"),
    ],
)
def test_a_bad_question_is_refused_by_name(post, url: str, body: Any, parameter: str):
    response = post(url, body)
    assert response.status_code == 400
    assert json.loads(response.content)["errors"][0]["parameter"] == parameter
