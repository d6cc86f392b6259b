"""The predecessor's export, which lies beside the project and is never committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from correlations.catalogue import bundled_load
from correlations.importing.phase3 import phase3_import
from correlations.importing.rows import CORRELATIONS_FILE, FILES
from correlations.models import Correlation, GenomicTarget, Practice, QuarantinedRow
from ethics.policy import Audience, Purpose

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "phase3"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.django_db,
    pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference export isn't beside the project"),
]


@pytest.fixture
def report():
    return phase3_import(folder=REFERENCE)


def test_every_row_is_accepted_a_duplicate_or_quarantined(report):
    counts = report["files"][CORRELATIONS_FILE]
    assert counts["rows"] == 525
    assert counts["accepted"] + counts["duplicates"] + counts["quarantined"] == 525
    assert counts["accepted"] + counts["duplicates"] >= 425
    assert report["balanced"]


def test_exact_duplicates_and_absent_practices_are_counted(report):
    counts = report["files"][CORRELATIONS_FILE]
    assert counts["duplicates_by_kind"]["exact"] == 85
    assert counts["quarantined_by_reason"]["practice_unknown"] == 24


def test_the_database_holds_what_the_report_says(report):
    counts = report["files"][CORRELATIONS_FILE]
    assert Correlation.objects.count() == counts["accepted"]
    assert set(Correlation.objects.values_list("status", flat=True)) == {"draft"}
    assert QuarantinedRow.objects.count() == sum(report["files"][name]["quarantined"] for name, _, _ in FILES)
    assert Practice.objects.count() == 30


def test_every_quarantined_row_says_what_to_do(report):
    explanations = QuarantinedRow.objects.values_list("explanation", flat=True)
    assert all("replay" in explanation for explanation in explanations)


def test_pharmacology_names_reach_their_genes(report):
    symbols = set(Correlation.objects.values_list("target__symbol", flat=True))
    assert {"CNR1", "CNR2", "PTGS2", "TNF", "PPARG", "HTR1A", "PRKN", "TACR1", "GRIN1"} <= symbols
    assert not GenomicTarget.objects.filter(symbol__in=["CB2", "COX2", "PARK2", "NK1R", "NMDAR1", "GABRA2"]).exists()


def test_a_practice_whose_sources_are_placeholders_is_used_for_nothing(report):
    usable = Practice.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM)
    assert 0 < usable.count() == 30 - report["practices_without_basis"]["count"]


def test_the_bundled_catalogue_changes_neither_the_counts_nor_its_own_targets():
    bare = phase3_import(folder=REFERENCE, dry_run=True)
    bundled_load()
    before = dict(GenomicTarget.objects.values_list("symbol", "name"))
    loaded = phase3_import(folder=REFERENCE)
    assert loaded["files"][CORRELATIONS_FILE] == bare["files"][CORRELATIONS_FILE]
    assert before.items() <= dict(GenomicTarget.objects.values_list("symbol", "name")).items()
    assert GenomicTarget.objects.get(symbol="CNR2").hgnc_id == "HGNC:2160"


def test_a_second_run_changes_nothing(report):
    before = list(Correlation.objects.order_by("pk").values_list("pk", "updated_at"))
    again = phase3_import(folder=REFERENCE)
    assert again == {**report, "outcome": "unchanged"}
    assert list(Correlation.objects.order_by("pk").values_list("pk", "updated_at")) == before
