"""What the rows of a well-formed export become."""

from __future__ import annotations

import pytest

from correlations.importing.phase3 import phase3_import
from correlations.models import (
    Correlation,
    DiseaseAssociation,
    DosageProfile,
    Evidence,
    GenomicTarget,
    Practice,
    QuarantinedRow,
)
from ethics.models import AuditEvent, Community, GovernedItem
from ethics.policy import Audience, Purpose
from tests.correlations.phase3_export import found_from_gene, found_from_practice, gene, practice, write_export
from tests.factories import make_target

pytestmark = pytest.mark.django_db

CORRELATIONS = "training_correlations.json"
PRACTICES = "tk_practices.json"
TARGETS = "genomic_targets.json"


def imported(tmp_path, **parts):
    return phase3_import(folder=write_export(tmp_path / "export", **parts))


def test_a_practice_comes_with_community_item_attribution_and_source(tmp_path):
    imported(tmp_path)
    stored = Practice.objects.get()
    assert stored.slug == "synthetic-practice-1-tk-0001"
    assert stored.external_id == "TK_0001"
    assert stored.item.community.name == "Synthetic Tradition 1"
    assert stored.item.attribution.statement == "Synthetic Tradition 1: Synthetic records"
    assert stored.item.basis_source == "PMID:31415926"
    assert [indication.condition.name for indication in stored.practice_indications.all()] == [
        "synthetic condition",
        "other condition",
    ]
    assert Practice.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM).count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"literature_sources": ["PMID:12345678", "ethnobotany_somewhere"]},
        {"literature_sources": []},
        {"community_consent_status": "pending"},
        {"community_consent_status": "denied"},
    ],
)
def test_without_a_real_source_or_publication_a_practice_is_stored_but_used_for_nothing(tmp_path, fields):
    report = imported(tmp_path, practices=[practice(**fields)])
    assert GovernedItem.objects.get().basis == "none"
    assert not Practice.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM).exists()
    assert report["practices_without_basis"]["practice_ids"] == ["TK_0001"]


def test_without_attribution_notes_a_practice_is_used_for_nothing(tmp_path):
    report = imported(tmp_path, practices=[practice(attribution_notes="")])
    assert not Practice.objects.permitted_for(Purpose.PREDICTION, Audience.RESEARCH).exists()
    assert report["practices_without_attribution"]["count"] == 1


def test_placeholder_citations_are_dropped_and_counted(tmp_path):
    report = imported(tmp_path)
    assert list(Evidence.objects.values_list("reference", "verified")) == [("PMID:31415926", False)]
    assert report["placeholder_citations"] == {"dropped": 2, "texts": {"PMID:12345678": 1, "literature_review": 1}}


def test_a_target_is_added_by_symbol_without_invented_identifiers(tmp_path):
    imported(tmp_path, genes=[gene("COX2")], correlations=[])
    target = GenomicTarget.objects.get()
    assert (target.symbol, target.name) == ("PTGS2", "prostaglandin-endoperoxide synthase 2")
    assert (target.hgnc_id, target.entrez_id, target.ensembl_gene_id, target.uniprot_ids) == ("", "", "", [])
    assert DiseaseAssociation.objects.get().study_count == 3


def test_a_target_of_the_catalogue_keeps_its_description(tmp_path):
    make_target("CNR1", name="kept name", hgnc_id="HGNC:2159", aliases=["CB1"], tissues=["kept"])
    report = imported(tmp_path)
    target = GenomicTarget.objects.get()
    assert (target.name, target.hgnc_id, target.tissues) == ("kept name", "HGNC:2159", ["kept"])
    assert report["files"][TARGETS]["accepted_by_status"] == {"extended": 1}


@pytest.mark.parametrize("has_catalogue", [True, False])
def test_correlations_are_counted_the_same_with_and_without_a_catalogue(tmp_path, has_catalogue):
    if has_catalogue:
        make_target("CNR1", aliases=["CB1"])
        make_target("GABRA1", aliases=["GABA-A"])
    rows = [
        found_from_practice(1),
        found_from_practice(2, genomic_target="GABA-A"),
        found_from_practice(3, genomic_target="PPAR-gamma"),
    ]
    counts = imported(tmp_path, correlations=rows)["files"][CORRELATIONS]
    assert (counts["accepted_by_status"], counts["quarantined_by_reason"]) == ({"draft": 2}, {"target_family": 1})


def test_a_correlation_is_a_draft_with_quality_by_our_thresholds_and_a_visible_path(tmp_path):
    imported(tmp_path, correlations=[found_from_practice(confidence=0.6, quality="good")])
    stored = Correlation.objects.get()
    assert (stored.target.symbol, stored.dose, stored.dose_basis) == ("CNR1", "low", "modelled")
    assert (stored.status, stored.origin, stored.quality) == ("draft", "phase3", "moderate")
    assert stored.confidence_parts["tissue_confidence"] == 0.5
    assert [step["kind"] for step in stored.evidence_path] == ["practice", "imported_row", "target"]
    assert [evidence.reference for evidence in stored.evidence.all()] == ["PMID:31415926"]


def test_dosage_profiles_hold_the_range_given_and_are_marked_as_modelled(tmp_path):
    imported(tmp_path)
    profiles = DosageProfile.objects.values_list("level", "amount_range", "basis")
    assert set(profiles) == {("low", "1-2 units", "modelled"), ("medium", "", "modelled"), ("high", "", "modelled")}


def test_a_row_found_from_a_gene_counts_once_at_the_middle_dose_for_the_practice_in_its_text(tmp_path):
    imported(tmp_path, correlations=[found_from_gene()])
    stored = Correlation.objects.get()
    assert (stored.practice.external_id, stored.direction) == ("TK_0001", "genomic_to_tk")
    assert (stored.dose, stored.dose_basis) == ("medium", "modelled")
    assert not Community.objects.filter(slug__contains="mock").exists()


def test_rows_that_differ_only_in_id_and_date_are_one(tmp_path):
    counts = imported(tmp_path, correlations=[found_from_practice(1), found_from_practice(2)])["files"][CORRELATIONS]
    assert counts["duplicates_by_kind"] == {"exact": 1}
    assert Correlation.objects.get().external_id == "TK2G_00001"


@pytest.mark.parametrize("order", [1, -1])
def test_of_rivals_the_highest_confidence_is_kept_whatever_the_order(tmp_path, order):
    rows = [found_from_practice(1, confidence=0.5), found_from_practice(2, confidence=0.9, genomic_target="CNR1")]
    counts = imported(tmp_path, correlations=rows[::order])["files"][CORRELATIONS]
    assert (counts["accepted"], counts["duplicates_by_kind"]) == (1, {"superseded": 1})
    assert Correlation.objects.get().confidence == 0.9


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        (found_from_practice(tk_practice_id="TK_0099"), "practice_unknown", "TK_0099"),
        (found_from_gene(tk_practice_predicted="Traditional Practice some_theme"), "practice_unknown", "some_theme"),
        (found_from_gene(tk_practice_predicted="unreadable"), "practice_unnamed", "tk_practice_id"),
        (found_from_practice(genomic_target="CB receptor"), "target_family", "CNR1, CNR2"),
        (found_from_practice(confidence=1.2), "confidence_out_of_range", "'confidence'"),
        (found_from_practice(confidence=0), "confidence_out_of_range", "'confidence'"),
        (found_from_practice(confidence=-0.1), "confidence_out_of_range", "'confidence'"),
        (found_from_practice(confidence="0.8"), "field_type", "'confidence' must be a number, not a text"),
        (found_from_practice(confidence=True), "field_type", "'confidence'"),
        (found_from_practice(confidence=None), "field_missing", "'confidence'"),
        (found_from_practice(disease_confidence=7), "confidence_out_of_range", "'disease_confidence'"),
        (found_from_practice(dosage="enormous"), "field_value", "'dosage' must be one of low, medium, high"),
        (found_from_practice(direction="sideways"), "field_value", "'direction'"),
        (found_from_practice(genomic_target=["CB1"]), "field_type", "'genomic_target' must be a text, not a list"),
        (found_from_practice(evidence_sources="PMID:1"), "field_type", "'evidence_sources' must be a list"),
        (found_from_practice(evidence_sources=[1]), "field_type", "'evidence_sources'"),
        (found_from_practice(mechanism="a\0b"), "text_unstorable", "'mechanism'"),
        (found_from_practice(mechanism="a\ud800b"), "text_unstorable", "'mechanism'"),
        (found_from_practice(mechanism="x" * 50_000), "text_too_long", "'mechanism'"),
        ("a text", "field_type", "must be an object, not a text"),
        (None, "field_type", "must be an object, not null"),
        ([1, 2], "field_type", "must be an object, not a list"),
    ],
)
def test_a_row_that_is_not_acceptable_is_kept_with_reason_and_words(tmp_path, row, reason, words):
    counts = imported(tmp_path, correlations=[row])["files"][CORRELATIONS]
    assert counts["quarantined_by_reason"] == {reason: 1}
    kept = QuarantinedRow.objects.get()
    assert (kept.file_name, kept.row_number, kept.state) == (CORRELATIONS, 1, "open")
    assert words in kept.explanation
    assert len(kept.raw) >= 4


def test_a_number_too_large_for_a_float_is_out_of_range(tmp_path):
    folder = write_export(tmp_path, correlations=[found_from_practice(confidence=12345.5)])
    path = folder / CORRELATIONS
    path.write_text(path.read_text().replace("12345.5", "1e999"))
    assert phase3_import(folder=folder)["files"][CORRELATIONS]["quarantined_by_reason"] == {
        "confidence_out_of_range": 1
    }


def test_a_row_nested_deeper_than_it_can_be_written_is_set_aside_whole(tmp_path):
    folder = write_export(tmp_path, correlations=[found_from_practice(mechanism="here")])
    path = folder / CORRELATIONS
    path.write_text(path.read_text().replace('"here"', "[" * 900 + "]" * 900))
    assert phase3_import(folder=folder)["files"][CORRELATIONS]["quarantined_by_reason"] == {"field_type": 1}
    assert "[" * 900 in QuarantinedRow.objects.get().raw


def test_a_quarantined_practice_takes_its_correlations_along_with_a_hint(tmp_path):
    report = imported(tmp_path, practices=[practice(indications="not a list")])
    assert report["files"][PRACTICES]["quarantined_by_reason"] == {"field_type": 1}
    assert report["files"][CORRELATIONS]["quarantined_by_reason"] == {"practice_quarantined": 1}
    assert report["balanced"]


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE correlations_practice; --",
    '=HYPERLINK("http://example.invalid")',
    "\u202egnirts\u202c",
    "{{ 7*7 }} %s %(x)s \\",
    "\u0130\u0049\u0301 \U0001f331",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_stored_as_it_is(tmp_path, text):
    parts = {
        "practices": [practice(practice_name=text, cultural_context=text, source_community_id=text)],
        "correlations": [found_from_practice(mechanism=text)],
    }
    assert imported(tmp_path, **parts)["balanced"]
    stored = Practice.objects.get()
    assert (stored.title, stored.cultural_context) == (text, text)
    assert Correlation.objects.get().mechanism == text


def test_communities_whose_letters_have_no_ascii_form_stay_apart(tmp_path):
    practices = [
        practice(1, source_community_id="\u4e00_medicine"),
        practice(2, source_community_id="\u4e8c_medicine"),
        practice(3, source_community_id="\u4e09"),
    ]
    imported(tmp_path, practices=practices)
    assert Community.objects.count() == 3


def test_titles_and_ids_that_give_one_slug_stay_apart(tmp_path):
    practices = [
        practice(1, practice_id="T-1", practice_name="Same"),
        practice(2, practice_id="T_1", practice_name="Same"),
        practice(3, practice_id="\u4e00", practice_name="\u4e8c"),
    ]
    imported(tmp_path, practices=practices, correlations=[])
    assert set(Practice.objects.values_list("slug", flat=True)) == {"same-t-1", "same-t-1-2", "practice"}


def test_an_import_leaves_one_event_with_counts_and_no_content(tmp_path):
    report = imported(tmp_path, practices=[practice(practice_name="CANARY-4711")])
    event = AuditEvent.objects.get(event_type="import.completed")
    assert event.details == {
        "rows": 3,
        "accepted": 3,
        "duplicates": 0,
        "quarantined": 0,
        "source_sha256": report["source_sha256"],
    }
    assert event.community_ids == ["synthetic-tradition-1"]
    assert "CANARY" not in event.canonical


def test_an_export_of_nothing_acceptable_is_still_kept_and_logged(tmp_path):
    report = imported(tmp_path, practices=[], genes=[], correlations=[found_from_practice()])
    assert report["files"][CORRELATIONS]["quarantined"] == 1
    assert AuditEvent.objects.filter(event_type="import.completed").count() == 1
