"""`manage.py predict`: the same gate as the API, on the command line."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import AuditEvent
from ethics.policy import SacredStatus
from ethics.stewardship import item_set_status
from tests.factories import make_catalogue

pytestmark = pytest.mark.django_db


def predict(*arguments: str) -> str:
    out = StringIO()
    call_command("predict", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def catalogue():
    return make_catalogue(provisional=True)


def test_practice_is_printed_with_table_attribution_sources_and_note(catalogue):
    practice = catalogue.practices[0]
    text = predict("--practice", practice.slug, "--dose", "low", "--k", "2")
    assert catalogue.targets[0].symbol in text and catalogue.targets[1].symbol in text
    assert catalogue.targets[2].symbol not in text
    assert practice.item.attribution.statement in text
    assert practice.item.community.name in text
    assert practice.sources.get().reference in text
    assert "baseline" in text
    assert "Not medical advice" in text


def test_gene_is_printed_with_the_attribution_of_every_practice(catalogue):
    text = predict("--gene", catalogue.targets[0].symbol)
    for practice in catalogue.practices:
        assert practice.item.attribution.statement in text


def test_json_is_the_answer_of_the_api(catalogue, make_api_client):
    from ethics.policy import Audience

    slug = catalogue.practices[0].slug
    response = make_api_client(Audience.RESEARCH).http.get(f"/api/v1/predictions/practices/{slug}/targets/")
    assert json.loads(predict("--practice", slug, "--json")) == json.loads(response.content)


def test_answer_on_the_command_line_is_recorded_under_the_account(catalogue):
    predict("--practice", catalogue.practices[0].slug)
    event = AuditEvent.objects.get(event_type="prediction.served")
    assert event.actor_role == "command"
    assert event.actor_name


def test_withheld_and_unknown_practice_fail_alike(catalogue):
    item_set_status(item=catalogue.practices[0].item, status=SacredStatus.SACRED)
    with pytest.raises(CommandError) as of_withheld:
        predict("--practice", catalogue.practices[0].slug)
    with pytest.raises(CommandError) as of_unknown:
        predict("--practice", "no-such-practice")
    assert str(of_withheld.value) == str(of_unknown.value)


def test_without_a_model_the_command_says_what_to_do():
    with pytest.raises(CommandError, match="Train one"):
        predict("--practice", "anything")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--practice", "a", "--gene", "B"),
        ("--practice", "a", "--k", "0"),
        ("--practice", "a", "--k", "1000"),
        ("--practice", "a", "--dose", "huge"),
        ("--practice", ""),
        ("--practice", "a\x00b"),
        ("--gene", "B", "--dose", "low"),
        ("--gene", "B", "--audience", "platform"),
    ],
)
def test_bad_arguments_are_refused(catalogue, arguments):
    with pytest.raises(CommandError):
        predict(*arguments)
