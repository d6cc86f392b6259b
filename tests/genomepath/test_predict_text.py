"""`manage.py predict --text FILE`: targets for a text, by the active model itself."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import AuditEvent
from ethics.policy import SacredStatus
from ethics.stewardship import item_set_status
from genomepath.models import ModelVersion
from tests.factories import make_catalogue, make_correlation, make_model_version, make_practice, make_target

CANARY = "canary-51c9-sacred-name"


def predict(*arguments: str) -> str:
    out = StringIO()
    call_command("predict", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def trained(db):
    """An active model, really trained for one epoch on synthetic practices, and those practices."""
    practices = [make_practice(indications=(f"condition {number % 4}",)) for number in range(12)]
    targets = [make_target() for _ in range(6)]
    for number, practice in enumerate(practices):
        for step in (0, 1):
            make_correlation(practice, targets[(number + step) % 6])
    call_command("train_genomepath", "--preset", "small", "--epochs", "1", "--no-progress", stdout=StringIO())
    ModelVersion.objects.update(state="active")
    return practices


def test_text_gets_ranked_targets_and_credits_the_communities_behind_the_model(trained, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(f"An infusion used for condition 1; {CANARY}", encoding="utf-8")
    hidden = trained[0]
    item_set_status(item=hidden.item, status=SacredStatus.SACRED, protected_names=[CANARY])

    answer = json.loads(predict("--text", str(file), "--dose", "low", "--k", "3", "--json"))

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

    printed = predict("--text", str(file))
    assert "learned from" in printed and "Not medical advice" in printed
    assert trained[1].item.community.statement in printed


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
