"""A training set holds what its recipient's audience may be handed, with its attribution, and says how much it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from correlations.models import Practice
from ethics.consent import consent_record
from ethics.models import AuditEvent
from ethics.policy import Audience, Basis, ConsentState, LabelRule, Purpose, SacredStatus
from ethics.reasons import change_reason
from ethics.stewardship import item_set_status
from genomepath import training_set
from genomepath.models import ExportRecord
from genomepath.snapshots import snapshot_take
from tests.admin_people import make_label
from tests.factories import make_correlation, make_item, make_practice, make_training_catalogue
from tests.genomepath.withdrawal_cases import object_to

pytestmark = pytest.mark.django_db
CANARY = "canary-4d17-not-for-this-recipient"
CLIENTS = ("research", "commercial", "community")


@pytest.fixture
def catalogue():
    return make_training_catalogue()


@pytest.fixture
def guarded(catalogue) -> Practice:
    """A documented practice with one correlation, whose community is about to say what may be done with it."""
    practice = make_practice(slug=CANARY, title=CANARY, preparation=CANARY, cultural_context=CANARY)
    make_correlation(practice, catalogue.targets[0])
    return practice


def decide(
    practice: Practice, state: ConsentState, purposes: Iterable[Purpose], audiences: Iterable[Audience], **fields
) -> None:
    consent_record(
        community=practice.item.community,
        items=[practice.item],
        purposes=list(purposes),
        audiences=list(audiences),
        state=state,
        document_reference="synthetic letter",
        recorded_by="synthetic officer",
        **{"valid_from": timezone.now(), **fields},
    )


def stand_on_consent(practice: Practice) -> None:
    """Take the publication away as a basis."""
    practice.item.basis, practice.item.basis_source = Basis.CONSENT.value, ""
    practice.item.save()


def export(folder: Path, *arguments: str) -> str:
    output = StringIO()
    call_command("export_training_set", str(folder), *arguments, stdout=output)
    return output.getvalue()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def practices(folder: Path) -> set[str]:
    lines = (folder / "practices.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["slug"] for line in lines}


def attributions(folder: Path) -> dict[str, dict]:
    lines = (folder / "ATTRIBUTIONS.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["practice"]: row for row in map(json.loads, lines)}


@pytest.mark.parametrize("option", [(), *(("--audience", audience.value) for audience in Audience)])
def test_what_a_community_refuses_to_export_is_handed_to_nobody(option, guarded, tmp_path):
    decide(guarded, ConsentState.DENIED, [Purpose.EXPORT], Audience)

    export(tmp_path / "set", *option)

    assert CANARY.encode() not in b"".join(files(tmp_path / "set").values())


@pytest.mark.parametrize("option", [(), *(("--audience", audience.value) for audience in Audience)])
def test_a_consent_to_the_platforms_own_training_hands_nothing_out(option, guarded, tmp_path):
    stand_on_consent(guarded)
    decide(guarded, ConsentState.GRANTED, [Purpose.TRAINING], [Audience.PLATFORM])

    export(tmp_path / "set", *option)

    assert CANARY in {record.slug for record in snapshot_take(include_drafts=False).snapshot.practices}
    assert CANARY.encode() not in b"".join(files(tmp_path / "set").values())


def test_what_a_recipient_may_not_train_on_is_not_handed_to_it_as_training_data(guarded, tmp_path):
    decide(guarded, ConsentState.DENIED, [Purpose.TRAINING], [Audience.RESEARCH])

    export(tmp_path / "research", "--audience", "research")
    export(tmp_path / "community", "--audience", "community")

    assert CANARY not in practices(tmp_path / "research")
    assert CANARY in practices(tmp_path / "community")


def test_a_consent_that_names_training_and_export_lets_its_audience_have_it(guarded, tmp_path):
    stand_on_consent(guarded)
    decide(guarded, ConsentState.GRANTED, [Purpose.TRAINING, Purpose.EXPORT], [Audience.PLATFORM, Audience.RESEARCH])

    export(tmp_path / "research", "--audience", "research")
    export(tmp_path / "commercial", "--audience", "commercial")

    assert CANARY in practices(tmp_path / "research")
    assert CANARY not in practices(tmp_path / "commercial")


@pytest.mark.parametrize(("audience", "is_handed_out"), [("research", True), ("commercial", False)])
def test_a_non_commercial_label_keeps_a_practice_from_commerce_alone(audience, is_handed_out, guarded, tmp_path):
    guarded.item.item_labels.create(label=make_label(LabelRule.NON_COMMERCIAL))

    export(tmp_path / "set", "--audience", audience)

    assert (CANARY in practices(tmp_path / "set")) == is_handed_out


@pytest.mark.parametrize("audience", [Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY])
def test_without_an_audience_only_what_every_client_may_be_handed_is_written(audience, guarded, tmp_path):
    decide(guarded, ConsentState.DENIED, [Purpose.EXPORT], [audience])

    printed = export(tmp_path / "set")

    assert CANARY not in practices(tmp_path / "set")
    assert "For: research, commercial, community;" in printed


def test_a_consent_that_is_about_to_end_hands_nothing_out(guarded, tmp_path):
    """Its end would be dealt with before the export could be found."""
    stand_on_consent(guarded)
    soon = timezone.now() + timedelta(seconds=30)
    decide(guarded, ConsentState.GRANTED, Purpose, Audience, valid_until=soon)

    export(tmp_path / "set", "--audience", "research")

    assert CANARY not in practices(tmp_path / "set")


def test_nothing_in_the_files_tells_of_what_was_left_out(catalogue, tmp_path):
    export(tmp_path / "before")
    practice = make_practice()
    make_correlation(practice, catalogue.targets[0])
    decide(practice, ConsentState.DENIED, [Purpose.EXPORT], Audience)

    export(tmp_path / "after")

    assert files(tmp_path / "after") == files(tmp_path / "before")


def test_how_much_was_left_out_is_printed_and_named_nowhere(guarded, tmp_path):
    decide(guarded, ConsentState.DENIED, [Purpose.EXPORT], Audience)

    printed, as_json = export(tmp_path / "set"), json.loads(export(tmp_path / "again", "--json"))

    assert "practices 1, correlations 1." in printed
    assert as_json["left_out"] == {"practices": 1, "correlations": 1}
    assert CANARY not in printed


def test_what_nobody_may_train_on_is_not_even_counted(guarded, tmp_path):
    item_set_status(item=guarded.item, status=SacredStatus.SACRED)

    printed = json.loads(export(tmp_path / "set", "--json"))

    assert printed["left_out"] == {"practices": 0, "correlations": 0}


def test_why_it_was_left_out_stands_in_the_log(guarded, tmp_path):
    decide(guarded, ConsentState.DENIED, [Purpose.EXPORT], Audience)

    export(tmp_path / "set")

    event = AuditEvent.objects.get(event_type="snapshot.exported")
    assert event.purpose == "export"
    assert event.details["excluded"] == [f"{guarded.item.public_id}:consent_denied_or_withdrawn"]


def test_where_nothing_may_be_handed_out_the_command_says_to_whom(tmp_path):
    practice = make_practice(item=make_item())
    practice.item.item_labels.create(label=make_label(LabelRule.NON_COMMERCIAL))

    with pytest.raises(CommandError, match=r"used for training and handed out \(commercial\)"):
        export(tmp_path / "set", "--audience", "commercial")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "audiences"), [((), [*CLIENTS]), (("--audience", "research"), ["research"])])
def test_record_and_event_say_that_it_was_an_export_and_for_whom(option, audiences, catalogue, tmp_path):
    export(tmp_path / "set", *option)

    record, event = ExportRecord.objects.get(), AuditEvent.objects.get(event_type="export.handed_out")
    assert (record.purpose, record.audiences) == ("export", audiences)
    assert (event.purpose, event.details["audiences"]) == ("export", audiences)


def test_every_practice_is_credited_beside_the_data(catalogue, tmp_path):
    export(tmp_path / "set", "--audience", "research")

    rows = attributions(tmp_path / "set")
    assert rows.keys() == practices(tmp_path / "set")
    for practice in catalogue.practices:
        row, item = rows[practice.slug], practice.item
        assert (row["title"], row["statement"]) == (practice.title, item.attribution.statement)
        assert row["community"] == {"slug": item.community.slug, "name": item.community.name}
        assert row["basis"]["research"]["source"] == item.basis_source
        assert [source["reference"] for source in row["sources"]] == [practice.sources.get().reference]


def test_a_label_of_the_community_travels_with_the_practice(catalogue, tmp_path):
    practice = catalogue.practices[0]
    practice.item.item_labels.create(label=make_label(), community_text="Ask the synthetic elders.")

    export(tmp_path / "set")

    (label,) = attributions(tmp_path / "set")[practice.slug]["labels"]
    assert label["meaning"] == "Ask the synthetic elders."


def test_the_credit_names_the_consent_that_each_audience_rests_on(guarded, tmp_path):
    stand_on_consent(guarded)
    decide(guarded, ConsentState.GRANTED, [Purpose.TRAINING, Purpose.EXPORT], Audience)

    export(tmp_path / "set")

    basis = attributions(tmp_path / "set")[CANARY]["basis"]
    consent = str(guarded.item.consents.get().public_id)
    assert {audience: entry["consent_reference"] for audience, entry in basis.items()} == dict.fromkeys(
        CLIENTS, consent
    )


def delete(practice: Practice) -> None:
    with change_reason("synthetic reason"):
        practice.correlations.all().delete()
        practice.delete()


@pytest.mark.parametrize("change", [object_to, delete])
def test_what_goes_out_of_use_while_the_files_are_made_leaves_none_of_them(change, guarded, tmp_path, monkeypatch):
    write = training_set.write_training_set

    def write_and_lose(*args, **options):
        counts = write(*args, **options)
        change(guarded)
        return counts

    monkeypatch.setattr(training_set, "write_training_set", write_and_lose)

    with pytest.raises(CommandError, match="went out of use while the files were made, so nothing is handed out"):
        export(tmp_path / "set")

    assert list(tmp_path.iterdir()) == []
    assert not ExportRecord.objects.exists()
    assert not AuditEvent.objects.filter(event_type="export.handed_out").exists()
