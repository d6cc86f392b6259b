"""The 90% set in an answer: marked, counted beyond what is shown, and silent about what is withheld."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from ethics.stewardship import item_record_objection
from genomepath.ml.conformal import SET_LEVEL
from genomepath.models import Prediction
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue():
    """Of four targets the first three are in the set of a practice, of three practices the first two in that of a target."""
    made = make_catalogue()
    for direction, most in (("tk_to_genomic", 3), ("genomic_to_tk", 2)):
        rows = Prediction.objects.filter(direction=direction)
        rows.update(in_set=False)
        rows.filter(rank__lte=most).update(in_set=True)
    return made


def practice_answer(catalogue, make_api_client, **query):
    url = f"/api/v1/predictions/practices/{catalogue.practices[0].slug}/targets/"
    return json.loads(make_api_client().http.get(url, query).content)


def target_answer(catalogue, make_api_client, **query):
    url = f"/api/v1/predictions/targets/{catalogue.targets[0].symbol}/practices/"
    return json.loads(make_api_client().http.get(url, query).content)


def test_each_prediction_says_whether_it_is_in_the_set(catalogue, make_api_client):
    answer = practice_answer(catalogue, make_api_client)

    assert [entry["in_set"] for entry in answer["predictions"]] == [True, True, True, False]
    assert answer["set"] == {"level": SET_LEVEL, "size": 3}


@pytest.mark.parametrize("k", [1, 2, 4])
def test_the_size_counts_what_is_not_shown_as_well(catalogue, make_api_client, k):
    assert practice_answer(catalogue, make_api_client, k=k)["set"]["size"] == 3
    assert target_answer(catalogue, make_api_client, k=k)["set"]["size"] == 2


def test_a_withheld_practice_is_not_counted(catalogue, make_api_client):
    hidden = catalogue.practices[0].item
    item_record_objection(item=hidden, reference="synthetic letter", reason="synthetic reason")

    answer = target_answer(catalogue, make_api_client, k=1)

    assert answer["set"] == {"level": SET_LEVEL, "size": 1}
    assert answer["predictions"][0]["in_set"] is True


def test_an_empty_set_is_a_set(catalogue, make_api_client):
    Prediction.objects.update(in_set=False)

    assert practice_answer(catalogue, make_api_client)["set"] == {"level": SET_LEVEL, "size": 0}


def test_a_model_without_sets_answers_null(make_api_client):
    catalogue = make_catalogue()

    for answer in (practice_answer(catalogue, make_api_client), target_answer(catalogue, make_api_client)):
        assert answer["set"] is None
        assert {entry["in_set"] for entry in answer["predictions"]} == {None}


def test_an_explanation_says_it_too(catalogue, make_api_client):
    practice, target = catalogue.practices[0], catalogue.targets[3]
    url = f"/api/v1/predictions/practices/{practice.slug}/targets/{target.symbol}/explanation/"

    assert json.loads(make_api_client().http.get(url).content)["in_set"] is False


def test_the_command_prints_set_and_size(catalogue):
    output = StringIO()

    call_command("predict", "--practice", catalogue.practices[0].slug, "--k", "4", stdout=output)

    assert "The 90% set of this question holds 3, those beyond the list included." in output.getvalue()
    table = [line.split() for line in output.getvalue().splitlines() if line[:1].isdigit()]
    assert [row[3] for row in table] == ["yes", "yes", "yes", "no"]
