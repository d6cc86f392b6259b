"""``export_training_set``: what the policy allows for training, cut by pairs, loadable without pickle."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from safetensors.numpy import load_file

from ethics.models import AuditEvent
from ethics.policy import SacredStatus
from ethics.stewardship import item_set_status
from tests.factories import make_correlation, make_practice, make_target, make_training_catalogue

pytestmark = pytest.mark.django_db
SIDES = ("train", "validation", "test")


def export(folder: Path, *arguments: str) -> str:
    output = StringIO()
    call_command("export_training_set", str(folder), *arguments, stdout=output)
    return output.getvalue()


def rows(folder: Path, side: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"{side}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_correlation_stands_on_one_side_and_every_pair_on_one_side_alone(tmp_path):
    made = make_training_catalogue().correlations

    export(tmp_path / "set")

    sides = {side: rows(tmp_path / "set", side) for side in SIDES}
    assert all(sides.values())
    assert sum(len(found) for found in sides.values()) == len(made)
    pairs = [{(row["practice"], row["target"]) for row in found} for found in sides.values()]
    assert sum(len(found) for found in pairs) == len(set.union(*pairs))


def test_tensors_say_the_same_as_the_lines(tmp_path):
    make_training_catalogue()

    export(tmp_path / "set")

    catalogue = json.loads((tmp_path / "set" / "catalogue.json").read_text(encoding="utf-8"))
    for side in SIDES:
        tensors = load_file(tmp_path / "set" / f"{side}.safetensors")
        read_back = [
            {
                "practice": catalogue["practices"][practice],
                "target": catalogue["targets"][target],
                "dose": catalogue["doses"][dose],
                "confidence": pytest.approx(float(confidence), abs=1e-6),
            }
            for practice, target, dose, confidence in zip(
                tensors["practice"], tensors["target"], tensors["dose"], tensors["confidence"], strict=True
            )
        ]
        assert [{name: row[name] for name in ("practice", "target", "dose", "confidence")} for row in rows(
            tmp_path / "set", side
        )] == read_back  # fmt: skip


def test_the_folder_holds_json_and_safetensors_only(tmp_path):
    make_training_catalogue()

    export(tmp_path / "set")

    assert {path.suffix for path in (tmp_path / "set").iterdir()} == {".json", ".jsonl", ".safetensors"}


def test_the_same_seed_cuts_the_same_way(tmp_path):
    make_training_catalogue()
    for name, seed in (("first", 3), ("second", 3), ("third", 4)):
        export(tmp_path / name, "--seed", str(seed))

    first, second, third = ((tmp_path / name / "test.jsonl").read_bytes() for name in ("first", "second", "third"))
    assert first == second != third


def test_json_output_names_data_and_sides(tmp_path):
    made = make_training_catalogue()

    printed = json.loads(export(tmp_path / "set", "--json"))

    assert printed["purpose"] == "TRAINING"
    assert printed["counts"]["correlations"] == sum(printed["sides"].values()) == len(made.correlations)
    assert printed["data_sha256"] == AuditEvent.objects.get(event_type="snapshot.exported").subject_ids[0]


def test_withheld_and_rejected_rows_are_in_no_file(tmp_path):
    make_training_catalogue()
    canary = "canary-91ab-not-for-export"
    sacred = make_practice(title=canary, cultural_context=canary)
    make_correlation(sacred, make_target())
    item_set_status(item=sacred.item, status=SacredStatus.SACRED)
    rejected = make_correlation(make_practice(), make_target(), status="rejected")

    export(tmp_path / "set", "--include-drafts")

    content = b"".join(path.read_bytes() for path in (tmp_path / "set").iterdir())
    assert canary.encode() not in content
    assert sacred.slug.encode() not in content
    assert not [
        row for side in SIDES for row in rows(tmp_path / "set", side) if row["practice"] == rejected.practice.slug
    ]


def test_drafts_come_when_asked_for(tmp_path):
    made = make_training_catalogue()
    make_correlation(made.practices[0], make_target(), status="draft")

    without, with_drafts = (
        json.loads(export(tmp_path / name, "--json", *options))["counts"]["correlations"]
        for name, options in (("without", []), ("with", ["--include-drafts"]))
    )

    assert with_drafts == without + 1


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    make_training_catalogue()
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(CommandError, match="not an empty folder"):
        export(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(tmp_path):
    make_training_catalogue()
    (tmp_path / "set").mkdir()

    export(tmp_path / "set")

    assert rows(tmp_path / "set", "train")


def test_too_few_pairs_are_a_clear_error_and_nothing_is_written(tmp_path):
    make_correlation(make_practice(), make_target())

    with pytest.raises(CommandError, match="1 known pairs are too few"):
        export(tmp_path / "set")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "message"), [((), "No correlation may be used"), (("--seed", "-1"), "--seed")])
def test_what_cannot_be_exported_is_a_clear_error(tmp_path, arguments, message):
    with pytest.raises(CommandError, match=message):
        export(tmp_path / "set", *arguments)

    assert list(tmp_path.iterdir()) == []
