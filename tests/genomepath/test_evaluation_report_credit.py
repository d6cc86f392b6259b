"""Whom a report names: permitted practices alone, each with its community and source, on record for a later withdrawal."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ethics.consent import consent_record
from ethics.models import AuditEvent
from ethics.policy import Audience, ConsentState, LabelRule, Purpose
from genomepath import evaluation_report
from genomepath.evaluation_report import CARD, PAGE, REPORT
from genomepath.ml import judgement
from genomepath.models import ExportRecord
from genomepath.reporting.training_report import training_report
from tests.admin_people import make_label
from tests.genomepath.report_reader import markdown_tables, page_tables
from tests.genomepath.withdrawal_cases import object_to

pytestmark = pytest.mark.django_db
LAST_FOUND = ("Held-out links that were found last, TK→G", "Held-out links that were found last, G→TK")


def reclassify(practice, rule: LabelRule) -> None:
    practice.item.item_labels.create(label=make_label(rule))


def test_a_failed_pair_stands_beside_its_community_and_source(write_report, reportable):
    credits = {
        practice.title: [practice.item.community.name, practice.item.basis_source]
        for practice in reportable.catalogue.practices
    }

    tables = markdown_tables(write_report()[REPORT])

    for caption in LAST_FOUND:
        rows = tables[caption][1:]
        assert len(rows) == 8
        assert all(row[1:3] == credits[row[0]] for row in rows)


def test_the_pairs_that_are_shown_are_those_with_the_lowest_reciprocal_rank(write_report, reportable):
    outcomes = reportable.evaluation["protocols"]["P1"]["outcomes"]
    worst = sorted(1 / row["tk_to_genomic"] for row in outcomes)[-8:][::-1]

    rows = markdown_tables(write_report()[REPORT])[LAST_FOUND[0]][1:]

    assert [row[4] for row in rows] == [f"{rank:.1f}" for rank in worst]


def test_every_practice_that_may_be_named_is_credited_with_its_statement(write_report, reportable):
    rows = markdown_tables(write_report()[REPORT])["Attribution"][1:]

    assert sorted((row[0], row[1], row[2], row[3]) for row in rows) == sorted(
        (
            practice.title,
            practice.item.community.name,
            practice.item.attribution.statement,
            practice.item.basis_source,
        )
        for practice in reportable.catalogue.practices
    )


def test_a_label_of_the_community_stands_in_the_credit(write_report, reportable):
    label = make_label()
    reportable.catalogue.practices[0].item.item_labels.create(label=label)

    rows = markdown_tables(write_report()[REPORT])["Attribution"][1:]

    labels = {row[0]: row[4] for row in rows}
    assert labels[reportable.catalogue.practices[0].title] == f"{label.name}: {label.meaning}"
    assert labels[reportable.catalogue.practices[1].title] == "none"


def deny_to(practice, audience: Audience) -> None:
    consent_record(
        community=practice.item.community,
        items=[practice.item],
        purposes=[Purpose.EXPORT],
        audiences=[audience],
        state=ConsentState.DENIED,
        valid_from=timezone.now(),
        document_reference="letter 2",
        recorded_by="synthetic officer",
        reason="the community refuses",
    )


@pytest.mark.parametrize("audience", [Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY])
def test_a_practice_that_not_every_client_may_be_handed_is_counted_and_not_named(audience, write_report, reportable):
    practice = reportable.catalogue.practices[0]
    deny_to(practice, audience)

    files = write_report()

    for text in files.values():
        for named in (practice.title, practice.tradition, practice.item.attribution.statement):
            assert not re.search(rf"{named}(?!\d)", text)
    counts = dict(markdown_tables(files[REPORT])["What the snapshot holds"][1:])
    assert counts["practices"] == str(len(reportable.catalogue.practices))


def test_where_nothing_may_be_named_the_report_says_so_and_no_export_is_on_record(write_report, reportable):
    for practice in reportable.catalogue.practices:
        reclassify(practice, LabelRule.NON_COMMERCIAL)

    report = write_report()[REPORT]

    assert "This report names no practice, and so no tradition." in report
    assert not any(practice.title in report for practice in reportable.catalogue.practices)
    assert not ExportRecord.objects.exists()


def test_the_register_of_exports_knows_whom_a_report_was_for_and_whom_it_names(write_report, reportable):
    write_report("--recipient", "Synthetic reader")

    record = ExportRecord.objects.get()
    items = [practice.item for practice in reportable.catalogue.practices]
    assert (record.what, record.recipient) == ("training report", "Synthetic reader")
    assert (record.purpose, record.audiences) == ("export", ["research", "commercial", "community"])
    assert sorted(record.item_public_ids) == sorted(item.public_id for item in items)
    event = AuditEvent.objects.get(event_type="export.handed_out")
    assert set(event.community_ids) == {item.community.slug for item in items}
    assert event.purpose == "export"


def test_a_version_that_knows_what_was_withdrawn_is_neither_judged_nor_reported_on(reportable, tmp_path, monkeypatch):
    monkeypatch.setattr(judgement, "judge", lambda *args, **options: pytest.fail("judged"))
    object_to(reportable.catalogue.practices[0])

    with pytest.raises(CommandError, match="trained on knowledge that has since been withheld"):
        call_command("evaluate_genomepath", "--report", str(tmp_path / "report"), "--no-progress")

    assert not (tmp_path / "report").exists()


def test_a_withdrawal_during_the_evaluation_refuses_the_report(reportable, judged, tmp_path, monkeypatch):
    def judge(*args, **options):
        object_to(reportable.catalogue.practices[0])
        return judged

    monkeypatch.setattr(judgement, "judge", judge)

    with pytest.raises(CommandError, match="trained on knowledge that has since been withheld"):
        call_command("evaluate_genomepath", "--report", str(tmp_path), "--no-progress", stdout=StringIO())

    assert not [path for path in tmp_path.iterdir() if path.suffix in {".md", ".html"}]


def test_a_practice_that_may_no_longer_be_handed_out_as_the_report_is_noted_refuses_it(
    reportable, tmp_path, monkeypatch
):
    def write_and_lose(material):
        object_to(reportable.catalogue.practices[0])
        return training_report(material)

    monkeypatch.setattr(evaluation_report, "training_report", write_and_lose)

    with pytest.raises(CommandError, match="went out of use while the files were made"):
        call_command("evaluate_genomepath", "--stored", "--report", str(tmp_path), "--no-progress")

    assert not [path for path in tmp_path.iterdir() if path.suffix in {".md", ".html"}]
    assert not ExportRecord.objects.exists()


def test_each_tradition_is_shown_and_the_small_ones_are_named_as_such(write_report, reportable):
    rows = markdown_tables(write_report()[REPORT])["Held-out pairs by tradition, the most pairs first"][1:]

    shown = {row[0]: row for row in rows[:-2]}
    assert set(shown) == {practice.tradition for practice in reportable.catalogue.practices}
    assert [row[0] for row in rows[-2:]] == ["each tradition once", "chance, all pairs"]
    assert all(row[-1] == "too small to judge: fewer than 10 pairs" for row in shown.values())


def test_a_traditions_number_is_the_mean_over_its_held_out_pairs(write_report, reportable):
    practice = reportable.catalogue.practices[0]
    own = [
        row["genomic_to_tk"]
        for row in reportable.evaluation["protocols"]["P2"]["outcomes"]
        if row["practice"] == practice.slug
    ]

    rows = markdown_tables(write_report()[REPORT])["Held-out pairs by tradition, the most pairs first"]

    header, row = rows[0], next(row for row in rows if row[0] == practice.tradition)
    assert row[header.index("pairs")] == str(len(own))
    assert row[header.index("P2 MRR G→TK")] == f"{100 * sum(own) / len(own):.1f}"


def test_characters_of_a_curator_are_no_markup(write_report, reportable):
    practice = reportable.catalogue.practices[0]
    practice.title = "Synthetic | <b>bold</b> *starred* [link](http://example.invalid)"
    practice.save()

    files = write_report()

    for tables in (markdown_tables(files[REPORT]), page_tables(files[PAGE])):
        assert practice.title in [row[0] for row in tables["Attribution"]]
    assert "<b>" not in files[PAGE]
    assert not any(marked in files[REPORT] for marked in (" <b>", " *starred*", "](http"))


def test_the_card_says_for_what_the_model_is_not(write_report, reportable):
    card = write_report()[CARD]

    assert "## Not for" in card
    assert "documented or were imported, not biology" in card
    assert f"- Data {reportable.version.data_sha256}" in card


def test_a_report_of_figures_alone_names_nobody_and_is_no_export(reportable, tmp_path):
    call_command(
        "evaluate_genomepath",
        "--stored",
        "--figures-only",
        "--report",
        str(tmp_path),
        "--no-progress",
        stdout=StringIO(),
    )

    for name in (REPORT, PAGE, CARD):
        text = (tmp_path / name).read_text(encoding="utf-8")
        for practice in reportable.catalogue.practices:
            item = practice.item
            for named in (
                practice.title,
                practice.slug,
                item.community.name,
                item.attribution.statement,
                item.basis_source,
            ):
                assert named not in text
    assert not ExportRecord.objects.exists()
    assert "Targets" in (tmp_path / REPORT).read_text(encoding="utf-8")
