"""`manage.py predict --text FILE`: targets for a text, by the active model itself."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import AuditEvent
from ethics.policy import LabelRule, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState
from tests.admin_people import make_label
from tests.factories import make_catalogue, make_model_version, make_practice

CANARY = "canary-51c9-sacred-name"


def predict(*arguments: str) -> str:
    out = StringIO()
    call_command("predict", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def trained(evaluated):
    """An active model, really trained on synthetic practices, and those practices."""
    ModelVersion.objects.update(state=VersionState.ACTIVE.value)
    return evaluated.catalogue.practices


KNOWN_TEXT = "A synthetic root decoction in a synthetic context, for synthetic condition 1"
FAR_TEXT = "The train to the coast leaves at noon."


@pytest.fixture
def ask(tmp_path):
    """Puts a text to the command and gives its JSON."""

    def put(text: str, *arguments: str) -> Any:
        file = tmp_path / "text.txt"
        file.write_text(text, encoding="utf-8")
        return json.loads(predict("--text", str(file), *arguments, "--json"))

    return put


def test_text_gets_ranked_targets_and_credits_the_communities_behind_the_model(trained, ask, tmp_path):
    hidden = trained[0]
    item_set_status(item=hidden.item, status=SacredStatus.SACRED, protected_names=[CANARY])

    answer = ask(KNOWN_TEXT, "--dose", "low", "--k", "3")

    assert not answer["abstained"]
    assert [entry["rank"] for entry in answer["predictions"]] == [1, 2, 3]
    confidences = [entry["confidence"] for entry in answer["predictions"]]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in confidences)
    credited = {entry["slug"] for entry in answer["learned_from"]}
    assert credited == {practice.item.community.slug for practice in trained[1:]}
    event = AuditEvent.objects.get(event_type="prediction.served")
    assert set(event.community_ids) == credited
    text = json.dumps(answer) + event.canonical
    assert CANARY not in text and hidden.slug not in text

    printed = predict("--text", str(tmp_path / "text.txt"))
    assert "learned from" in printed and "Not medical advice" in printed
    assert trained[1].item.community.statement in printed


def test_named_close_and_far_texts_get_one_and_the_same_answer(trained, ask, tmp_path):
    sacred = trained[0]
    item_set_status(item=sacred.item, status=SacredStatus.SACRED, protected_names=[CANARY])
    objected = make_practice(
        title="Seven drums beaten before the river rises",
        preparation="bark rope soaked overnight in cold spring water",
        cultural_context="Told by elders at the spring flood festival",
        indications=("fear of water",),
    )
    item_record_objection(item=objected.item, reference="synthetic letter", reason="synthetic reason")
    texts = {
        f"{KNOWN_TEXT}; {CANARY.upper().replace('-', ' ')}": ([str(sacred.item.public_id)], ["named"]),
        f"{KNOWN_TEXT}; {sacred.title}": ([str(sacred.item.public_id)], ["named"]),
        f"{KNOWN_TEXT}; {objected.slug}": ([str(objected.item.public_id)], ["named"]),
        "Before the river floods in spring, elders beat seven drums": (
            [str(objected.item.public_id)],
            ["near", "far"],
        ),
        FAR_TEXT: ([], ["far"]),
    }

    answers = [json.dumps(ask(text)) for text in texts]

    assert len(set(answers)) == 1
    answer = json.loads(answers[0])
    assert answer["abstained"]
    assert (answer["predictions"], answer["synergies"], answer["learned_from"]) == ([], [], [])
    assert answer["statement"] == "No answer can be given for this text."
    events = list(AuditEvent.objects.filter(event_type="text.withheld").order_by("id"))
    assert [(event.subject_ids, event.details["reasons"]) for event in events] == list(texts.values())
    logged = "".join(event.canonical for event in events)
    assert not any(word in logged for word in (CANARY, sacred.title, objected.slug, "drums", "train"))
    assert not AuditEvent.objects.filter(event_type="prediction.served").exists()
    assert not ask(KNOWN_TEXT)["abstained"], "a record that is close to neither name nor text changes nothing"

    (tmp_path / "text.txt").write_text(FAR_TEXT, encoding="utf-8")
    printed = predict("--text", str(tmp_path / "text.txt"))
    assert "No answer can be given" in printed and "learned from" not in printed


def test_a_text_is_judged_for_the_audience_that_asks(trained, ask):
    item = trained[0].item
    item.item_labels.create(label=make_label(LabelRule.NON_COMMERCIAL))
    text = f"{KNOWN_TEXT}; {trained[0].title}"
    assert not ask(text, "--audience", "research")["abstained"]
    assert ask(text, "--audience", "commercial")["abstained"]


def test_model_whose_files_are_gone_is_reported(db, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("an infusion", encoding="utf-8")
    practice = make_practice()
    make_model_version(trained_on=[practice.item.public_id])
    with pytest.raises(CommandError, match="cannot be read"):
        predict("--text", str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no text"), (b" \n\x00", "no text"), (b"\xff\xfe\x00", "UTF-8"), (b"a" * 100_001, "longer")],
)
def test_unusable_file_is_refused(db, tmp_path, content, message):
    make_catalogue()
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        predict("--text", str(file))


def test_missing_file_is_refused(db, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        predict("--text", str(tmp_path / "none.txt"))
