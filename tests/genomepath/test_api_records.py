"""Explanations, the model card, attributions and usage over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from safetensors.numpy import save_file

from correlations.models import CorrelationEvidence
from ethics.consent import consent_record
from ethics.models import AuditEvent, ItemLabel
from ethics.policy import Audience, ConsentState, LabelRule, Purpose, SacredStatus
from ethics.stewardship import item_set_status
from genomepath.ml.checkpoint import write_json
from genomepath.ml.published_field_shares import ARRAYS, NAMES
from genomepath.models import ModelVersion
from tests.admin_people import make_label
from tests.factories import Catalogue, make_catalogue, make_community, make_correlation, make_evidence

pytestmark = pytest.mark.django_db
STEPS = [{"kind": "indication", "id": "condition one", "label": "condition one", "source": "synthetic"}]


@pytest.fixture
def catalogue() -> Catalogue:
    made = make_catalogue()
    ModelVersion.objects.update(trained_on=[practice.item.public_id for practice in made.practices])
    return made


def explanation_url(catalogue: Catalogue, slug: str = "") -> str:
    return (
        f"/api/v1/predictions/practices/{slug or catalogue.practices[0].slug}"
        f"/targets/{catalogue.targets[0].symbol}/explanation/"
    )


def practice_explanation_url(catalogue: Catalogue, slug: str = "") -> str:
    return (
        f"/api/v1/predictions/targets/{catalogue.targets[0].symbol}"
        f"/practices/{slug or catalogue.practices[0].slug}/explanation/"
    )


def explain(catalogue: Catalogue, make_api_client) -> Any:
    return json.loads(make_api_client().http.get(explanation_url(catalogue)).content)


def refuse_explanations(practice) -> None:
    consent_record(
        community=practice.item.community,
        items=[practice.item],
        purposes=[Purpose.EXPLANATION],
        audiences=list(Audience),
        state=ConsentState.DENIED,
        valid_from=timezone.now() - timedelta(days=1),
        document_reference="synthetic letter",
        recorded_by="a steward",
    )


def test_a_curated_prediction_is_explained_by_its_evidence_path(catalogue, make_api_client):
    practice, target = catalogue.practices[0], catalogue.targets[0]
    for dose in ("low", "medium"):
        correlation = make_correlation(practice, target, dose=dose, evidence_path=STEPS)
        CorrelationEvidence.objects.create(correlation=correlation, evidence=make_evidence(key=f"path-{dose}"))
    answer = explain(catalogue, make_api_client)
    assert (answer["kind"], answer["rank"], answer["neighbours"]) == ("curated_evidence_path", 1, [])
    (path,) = answer["paths"]
    assert path["steps"] == STEPS
    assert [dose["level"] for dose in path["doses"]] == ["low", "medium"]
    assert answer["practice"]["attribution"]["statement"]
    assert answer["policy"]["purpose"] == "explanation"
    event = AuditEvent.objects.get(event_type="prediction.explained")
    assert event.subject_ids == [str(practice.item.public_id)]


def test_without_a_path_the_nearest_training_evidence_is_shown_with_its_own_attribution(catalogue, make_api_client):
    _, second, third = catalogue.practices
    for practice in (second, third):
        make_correlation(practice, catalogue.targets[0], evidence_path=STEPS)
    third.practice_indications.all().delete()
    answer = explain(catalogue, make_api_client)
    assert (answer["kind"], answer["paths"]) == ("nearest_training_evidence", [])
    assert [entry["practice"]["slug"] for entry in answer["neighbours"]] == [second.slug, third.slug]
    assert [entry["shared_uses"] for entry in answer["neighbours"]] == [["condition one"], []]
    assert "no evidence for this practice" in answer["statement"]
    event = AuditEvent.objects.get(event_type="prediction.explained")
    assert set(event.community_ids) == {practice.item.community.slug for practice in catalogue.practices}


def test_neighbours_that_may_not_explain_or_were_not_learned_from_are_left_out(catalogue, make_api_client):
    _, second, third = catalogue.practices
    for practice in (second, third):
        make_correlation(practice, catalogue.targets[0], evidence_path=STEPS)
    refuse_explanations(second)
    ModelVersion.objects.update(trained_on=[catalogue.practices[0].item.public_id, second.item.public_id])
    assert explain(catalogue, make_api_client)["neighbours"] == []


@pytest.mark.parametrize(
    "hide", [refuse_explanations, lambda p: item_set_status(item=p.item, status=SacredStatus.SACRED)]
)
def test_what_may_not_be_explained_answers_as_absent(catalogue, make_api_client, hide):
    hide(catalogue.practices[0])
    http = make_api_client().http
    hidden, absent = (http.get(explanation_url(catalogue, slug)) for slug in ("", "no-such-practice"))
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404
    assert AuditEvent.objects.filter(event_type="prediction.refused", purpose="explanation").count() == 2


def publish_shares(catalogue: Catalogue, folder: Path, practice_fields: list[tuple[str, str]]) -> None:
    """Shares of a model of the catalogue's practices and targets: 0.5 through the texts of the last field, all else 0.25."""
    practices, targets = len(catalogue.practices), len(catalogue.targets)
    width, other = len(practice_fields), 2
    texts = np.zeros((practices, width, targets), dtype=np.float32)
    texts[:, -1] = 0.5
    arrays = {
        "practice_texts": texts,
        "practice_towers": np.full((practices, 3, width + 1, targets), 0.25),
        "practice_rest": np.full((practices, targets, 3), 0.25),
        "practice_tower_logits": np.full((practices, 3, targets), 0.25),
        "target_texts": np.full((targets, other, practices), 0.25),
        "target_towers": np.full((targets, other, practices), 0.25),
        "target_rest": np.full((targets, practices, 3), 0.25),
        "target_tower_logits": np.full((targets, practices), 0.25),
    }
    save_file({name: np.ascontiguousarray(part, dtype=np.float32) for name, part in arrays.items()}, folder / ARRAYS)
    fields = [["identity", ""], ["pathway", "synthetic pathway"]]
    write_json(folder / NAMES, {"practices": [practice_fields] * practices, "targets": [fields] * targets})
    names = {
        "practices": [one.slug for one in catalogue.practices],
        "targets": [one.symbol for one in catalogue.targets],
    }
    write_json(folder / "catalogue.json", names)


@pytest.fixture
def shares_folder(settings, tmp_path: Path) -> Path:
    settings.ARTEFACT_ROOT = tmp_path
    folder = tmp_path / "shares"
    folder.mkdir()
    ModelVersion.objects.update(folder="shares")
    return folder


def test_the_score_is_taken_apart_by_field_of_the_practice(catalogue, shares_folder, make_api_client):
    publish_shares(catalogue, shares_folder, [("title", ""), ("indication", "condition one")])

    score = explain(catalogue, make_api_client)["score"]

    assert [(part["field"], part["name"]) for part in score["by_field"]] == [
        ("dose", ""),
        ("title", ""),
        ("indication", "condition one"),
    ]
    assert (score["by_field"][2]["text_match"], score["by_field"][2]["towers"]) == (0.5, 0.25)
    shares = [part["share"] for part in (*score["by_field"], score["whole_text"], score["known_links"])]
    assert sum(shares) == pytest.approx(1.0, abs=0.001)
    assert score["log_odds"] == 0.5 + 0.25 + 0.25 + 0.25 + 0.25
    assert "no evidence" in score["note"]


def test_a_practice_for_a_target_is_explained_by_the_fields_of_the_target(catalogue, shares_folder, make_api_client):
    publish_shares(catalogue, shares_folder, [("title", "")])

    answer = json.loads(make_api_client().http.get(practice_explanation_url(catalogue)).content)

    assert (answer["direction"], answer["dose"]) == ("genomic_to_tk", None)
    assert [(part["field"], part["name"]) for part in answer["score"]["by_field"]] == [
        ("identity", ""),
        ("pathway", "synthetic pathway"),
    ]


def test_an_indication_that_the_practice_no_longer_has_is_not_named(catalogue, shares_folder, make_api_client):
    publish_shares(catalogue, shares_folder, [("title", ""), ("indication", "CANARY-REMOVED-INDICATION")])

    answer = make_api_client().http.get(explanation_url(catalogue))

    assert b"CANARY" not in answer.content.upper()
    assert json.loads(answer.content)["score"]["by_field"][2]["share"] > 0


@pytest.mark.parametrize("damage", ["absent", "damaged", "of another catalogue"])
def test_without_readable_shares_the_rest_of_the_explanation_is_answered(
    catalogue, shares_folder, make_api_client, damage
):
    if damage == "damaged":
        (shares_folder / ARRAYS).write_bytes(b"nothing")
    elif damage == "of another catalogue":
        publish_shares(catalogue, shares_folder, [("title", "")])
        slugs = [f"another-{index}" for index in range(len(catalogue.practices))]
        write_json(
            shares_folder / "catalogue.json",
            {"practices": slugs, "targets": [target.symbol for target in catalogue.targets]},
        )

    answer = explain(catalogue, make_api_client)

    assert answer["score"] is None
    assert answer["statement"]


def test_a_bad_question_for_an_explanation_is_refused_by_name(catalogue, make_api_client):
    """From target to practice there is no dose to ask for."""
    http = make_api_client().http
    answers = [
        http.get(f"{explanation_url(catalogue)}?dose=enough"),
        http.get(f"{practice_explanation_url(catalogue)}?dose=low"),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [json.loads(answer.content)["errors"][0]["parameter"] for answer in answers] == ["dose", "dose"]


@pytest.mark.parametrize(
    "hide", [refuse_explanations, lambda p: item_set_status(item=p.item, status=SacredStatus.SACRED)]
)
def test_a_practice_that_may_not_be_explained_is_absent_from_the_side_of_the_target_too(
    catalogue, make_api_client, hide
):
    hide(catalogue.practices[0])
    http = make_api_client().http

    hidden, absent = (http.get(practice_explanation_url(catalogue, slug)) for slug in ("", "no-such-practice"))

    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404


def test_the_model_card_shows_the_model_beside_the_baselines_and_no_practice(catalogue, make_api_client):
    scorer: dict[str, Any] = {
        "oracle": False,
        "consistency": None,
        "directions": {
            "tk_to_genomic": {
                "accuracy": {"5": {"value": 0.8, "low": 0.7, "high": 0.9, "count": 9, "clusters": 3}},
                "mrr": {"value": None, "low": None, "high": None, "count": 0, "clusters": 0},
                "ece": None,
                "brier": None,
                "reliability": [],
            }
        },
    }
    ModelVersion.objects.update(metrics={"protocols": {"P1": {"scorers": {"chance": scorer, "model": scorer}}}})
    response = make_api_client().http.get("/api/v1/model/")
    card = json.loads(response.content)
    assert [entry["name"] for entry in card["protocols"][0]["scorers"]] == ["model", "chance"]
    first = card["protocols"][0]["scorers"][0]["metrics"][0]
    assert first == {"direction": "tk_to_genomic", "metric": "accuracy@5", "value": 0.8, "low": 0.7, "high": 0.9}
    assert not any(str(practice.item.public_id) in response.content.decode() for practice in catalogue.practices)
    assert AuditEvent.objects.get(event_type="catalogue.read").details["what"] == "model"


def test_neither_the_model_without_a_part_nor_the_rule_behind_the_labels_is_a_baseline(catalogue, make_api_client):
    scorers: dict[str, Any] = {
        name: {"oracle": name.endswith("(oracle)"), "consistency": None, "directions": {}}
        for name in ("evidence rule (oracle)", "model", "model without condition fields", "popularity")
    }
    ModelVersion.objects.update(metrics={"protocols": {"P1": {"scorers": scorers}}})
    card = json.loads(make_api_client().http.get("/api/v1/model/").content)
    assert {entry["name"]: (entry["is_baseline"], entry["is_oracle"]) for entry in card["protocols"][0]["scorers"]} == {
        "model": (False, False),
        "evidence rule (oracle)": (False, True),
        "model without condition fields": (False, False),
        "popularity": (True, False),
    }


def test_attribution_shows_the_statement_and_the_labels_of_what_may_be_shown(catalogue, make_api_client):
    item = catalogue.practices[0].item
    ItemLabel.objects.create(item=item, label=make_label(), community_text="our own words")
    response = make_api_client().http.get(f"/api/v1/communities/{item.community.slug}/attribution/")
    answer = json.loads(response.content)
    assert answer["statement"] == item.community.statement
    assert [label["meaning"] for label in answer["labels"]] == ["our own words"]
    assert AuditEvent.objects.get(event_type="attribution.read").community_ids == [item.community.slug]


def test_a_community_of_which_nothing_may_be_shown_answers_as_absent(catalogue, make_api_client):
    for practice in catalogue.practices:
        ItemLabel.objects.create(item=practice.item, label=make_label(LabelRule.SECRET))
    make_community(slug="empty")
    http = make_api_client().http
    slugs = (catalogue.practices[0].item.community.slug, "empty", "no-such-community")
    answers = [http.get(f"/api/v1/communities/{slug}/attribution/") for slug in slugs]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1


def test_usage_counts_the_client_s_own_events_by_day_and_kind(catalogue, make_api_client):
    mine, other = make_api_client(), make_api_client()
    for client in (mine, mine, other):
        client.http.get(f"/api/v1/predictions/practices/{catalogue.practices[0].slug}/targets/")
    usage = json.loads(mine.http.get("/api/v1/usage/").content)
    today = timezone.now().date().isoformat()
    assert usage["rows"] == [{"day": today, "event_type": "prediction.served", "times": 2}]
    assert (usage["organisation"], usage["total"]) == (mine.record.organisation, 2)


@pytest.mark.parametrize("query", ["to=0001-01-01", "from=9999-12-31&to=9999-12-31"])
def test_usage_of_the_first_and_of_the_last_day_that_there_is_is_nothing(make_api_client, query: str):
    usage = json.loads(make_api_client().http.get(f"/api/v1/usage/?{query}").content)
    assert (usage["rows"], usage["total"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from=2026-01-31&to=2026-01-01", "from"),
        ("from=2020-01-01&to=2026-01-01", "from"),
        ("to=2026-02-30", "to"),
        ("to=26-01-01", "to"),
        ("from=%D9%A2026-01-01", "from"),
        ("day=2026-01-01", "day"),
    ],
)
def test_bad_period_is_refused_by_name(make_api_client, query: str, parameter: str):
    response = make_api_client().http.get(f"/api/v1/usage/?{query}")
    assert response.status_code == 400
    assert [error["parameter"] for error in json.loads(response.content)["errors"]] == [parameter]
