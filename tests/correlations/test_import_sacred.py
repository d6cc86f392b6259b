"""Ceremonial knowledge leaves no trace of its content: not in the catalogue, the quarantine, the report or the log."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from correlations.importing.phase3 import phase3_import
from correlations.models import Correlation, Practice, QuarantinedRow
from ethics.models import GovernedItem
from tests.correlations.phase3_export import found_from_gene, found_from_practice, practice, write_export

pytestmark = pytest.mark.django_db

CANARY = "canary-7f3a"
CORRELATIONS = "training_correlations.json"


def ceremonial(**fields):
    return practice(
        7,
        practice_name=f"Name {CANARY}",
        ceremonial_significance=True,
        preparation_method=f"secret-{CANARY}",
        cultural_context=f"secret-{CANARY}",
        attribution_notes=f"secret-{CANARY}",
        indications=[f"secret-{CANARY}"],
        **fields,
    )


def rows_about_it():
    about = {"tk_practice_id": "TK_0007", "tk_practice_name": f"Name {CANARY}"}
    return [
        found_from_practice(1),
        found_from_practice(2, **about, mechanism=f"secret-{CANARY}"),
        found_from_practice(3, **about, confidence="broken"),
        found_from_practice(4, tk_practice_id="TK_7000", tk_practice_name=f"Name {CANARY}"),
        found_from_practice(5, tk_practice_name="other", genomic_target=f"Name {CANARY}"),
        found_from_gene(6, tk_practice_predicted="Traditional Practice TK_0007", note=f"secret-{CANARY}"),
    ]


def tables_holding(text: str) -> set[str]:
    """Every table of the database with a row in which the text stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        found = set()
        for name in names:
            cursor.execute(f'SELECT 1 FROM "{name}" AS r WHERE r::text ILIKE %s LIMIT 1', [f"%{text}%"])
            if cursor.fetchone():
                found.add(name)
        return found


def test_the_scan_finds_a_planted_text(tmp_path):
    phase3_import(folder=write_export(tmp_path, practices=[practice(cultural_context=f"secret-{CANARY}")]))
    assert "correlations_practice" in tables_holding(f"secret-{CANARY}")


def test_a_ceremonial_practice_becomes_a_sacred_item_with_a_protected_name_alone(tmp_path):
    report = phase3_import(folder=write_export(tmp_path, practices=[practice(), ceremonial()], correlations=[]))
    item = GovernedItem.objects.get(sacred_status="sacred")
    assert (item.display_label, item.basis, item.protected_names) == ("", "none", [f"Name {CANARY}"])
    assert not hasattr(item, "attribution")
    assert Practice.objects.count() == 1
    assert report["files"]["tk_practices.json"]["accepted_by_status"] == {"created": 1, "sacred": 1}


def test_its_content_is_in_no_table_and_its_name_only_among_the_protected_names(tmp_path):
    folder = write_export(tmp_path, practices=[practice(), ceremonial()], correlations=rows_about_it())
    report = phase3_import(folder=folder)
    assert tables_holding(f"secret-{CANARY}") == set()
    assert tables_holding(CANARY) <= {"ethics_governeditem", "ethics_governeditemevent"}
    assert CANARY not in json.dumps(report)
    assert report["files"][CORRELATIONS]["accepted"] == Correlation.objects.count() == 1
    assert report["balanced"]


def test_rows_about_it_are_set_aside_without_content(tmp_path):
    phase3_import(folder=write_export(tmp_path, practices=[practice(), ceremonial()], correlations=rows_about_it()))
    kept = QuarantinedRow.objects.all()
    assert len(kept) == 5
    assert {row.raw for row in kept} == {'{"withheld": "the content is kept in the export alone"}'}
    assert {row.row_key for row in kept} == {""}


@pytest.mark.parametrize("flag", ["false", None, 0, 1, "yes"])
def test_a_practice_that_does_not_say_plainly_that_it_is_not_ceremonial_is_set_aside_without_content(tmp_path, flag):
    unclear = {**ceremonial(), "ceremonial_significance": flag}
    phase3_import(folder=write_export(tmp_path, practices=[practice(), unclear], correlations=rows_about_it()))
    kept = QuarantinedRow.objects.get(file_name="tk_practices.json")
    assert "'ceremonial_significance'" in kept.explanation
    assert tables_holding(CANARY) == set()


def test_a_ceremonial_row_with_another_fault_leaves_no_content(tmp_path):
    broken = ceremonial(community_consent_status=["not", "a", "text"])
    phase3_import(folder=write_export(tmp_path, practices=[broken], correlations=rows_about_it()))
    assert tables_holding(CANARY) == set()


def test_a_later_export_cannot_make_a_sacred_practice_plain(tmp_path):
    phase3_import(folder=write_export(tmp_path / "first", practices=[ceremonial()], correlations=[]))
    plain = {**ceremonial(), "ceremonial_significance": False}
    report = phase3_import(folder=write_export(tmp_path / "second", practices=[plain], correlations=rows_about_it()))
    assert report["files"]["tk_practices.json"]["quarantined_by_reason"] == {"practice_withheld": 1}
    assert not Practice.objects.exists()
    assert tables_holding(f"secret-{CANARY}") == set()


def test_a_later_export_can_make_a_plain_practice_sacred(tmp_path):
    plain = practice(7, practice_name="Plain name")
    phase3_import(folder=write_export(tmp_path / "first", practices=[plain], correlations=[]))
    sacred = {**plain, "ceremonial_significance": True}
    rows = [found_from_practice(1, tk_practice_id="TK_0007")]
    report = phase3_import(folder=write_export(tmp_path / "second", practices=[sacred], correlations=rows))
    assert GovernedItem.objects.get().sacred_status == "sacred"
    assert report["files"][CORRELATIONS]["quarantined_by_reason"] == {"practice_withheld": 1}


def test_a_practice_whose_community_objected_gets_no_new_correlations(tmp_path):
    phase3_import(folder=write_export(tmp_path / "first", correlations=[]))
    GovernedItem.objects.update(objection_at="2026-01-01T00:00:00Z", objection_reference="synthetic letter")
    report = phase3_import(folder=write_export(tmp_path / "second", correlations=[found_from_practice()]))
    assert report["files"][CORRELATIONS]["quarantined_by_reason"] == {"practice_withheld": 1}
    assert not Correlation.objects.exists()
