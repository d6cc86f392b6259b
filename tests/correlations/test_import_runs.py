"""Running an import: dry, twice, over earlier imports, from the command line."""

from __future__ import annotations

import errno
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from correlations.importing.phase3 import phase3_import
from correlations.models import Correlation, GenomicTarget, ImportBatch, Practice, QuarantinedRow
from ethics.models import AuditEvent, Community, GovernedItem, PolicyRevision
from tests.correlations.phase3_export import found_from_gene, found_from_practice, practice, write_export

pytestmark = pytest.mark.django_db

CORRELATIONS = "training_correlations.json"
MODELS = (Community, GovernedItem, Practice, GenomicTarget, Correlation, QuarantinedRow, ImportBatch, AuditEvent)


def counts_of_all() -> list[int]:
    return [model.objects.count() for model in MODELS]


@pytest.fixture
def folder(tmp_path):
    rows = [found_from_practice(1), found_from_practice(2), found_from_gene(3, genomic_target="AMPK")]
    return write_export(tmp_path / "export", correlations=rows)


def test_a_dry_run_writes_nothing_and_reports_the_same(folder):
    revision = PolicyRevision.current()
    dry = phase3_import(folder=folder, dry_run=True)
    assert counts_of_all() == [0] * len(MODELS)
    assert PolicyRevision.current() == revision
    assert phase3_import(folder=folder) == {**dry, "outcome": "imported"}


def test_a_second_run_changes_nothing_and_says_so(folder):
    first = phase3_import(folder=folder)
    before = counts_of_all()
    assert phase3_import(folder=folder) == {**first, "outcome": "unchanged"}
    assert counts_of_all() == before


def test_another_export_with_the_same_rows_adds_none_of_them_again(folder, tmp_path):
    phase3_import(folder=folder)
    again = write_export(tmp_path / "later", correlations=[found_from_practice(9, generated_date="2026-02-02")])
    report = phase3_import(folder=again)
    assert report["files"][CORRELATIONS]["duplicates_by_kind"] == {"already_recorded": 1}
    assert report["files"]["tk_practices.json"]["duplicates_by_kind"] == {"unchanged": 1}
    assert report["files"]["genomic_targets.json"]["duplicates_by_kind"] == {"unchanged": 1}


def test_a_later_export_does_not_overwrite_what_a_curator_wrote(folder, tmp_path):
    phase3_import(folder=folder)
    Practice.objects.update(title="Curated title")
    Correlation.objects.update(status="approved", confidence=0.3, quality="poor")
    phase3_import(folder=write_export(tmp_path / "later", practices=[practice(practice_name="Other title")]))
    assert Practice.objects.get().title == "Curated title"
    assert Correlation.objects.get().status == "approved"


def test_the_command_prints_and_writes_the_report(folder, tmp_path):
    out = StringIO()
    call_command("import_phase3", str(folder), "--report", str(tmp_path / "r.json"), stdout=out)
    report = json.loads((tmp_path / "r.json").read_text())
    counts = report["files"][CORRELATIONS]
    assert report["balanced"]
    assert counts["rows"] == 3 == counts["accepted"] + counts["duplicates"] + counts["quarantined"]
    assert "training_correlations.json: 3 rows = 1 accepted + 1 duplicates + 1 quarantined" in out.getvalue()
    assert AuditEvent.objects.get().actor_role == "command"


def test_the_command_with_dry_run_writes_the_report_alone(folder, tmp_path):
    call_command("import_phase3", str(folder), "--dry-run", "--report", str(tmp_path / "r.json"), stdout=StringIO())
    assert json.loads((tmp_path / "r.json").read_text())["outcome"] == "dry_run"
    assert counts_of_all() == [0] * len(MODELS)


def test_the_command_refuses_with_the_place_of_the_fault(folder):
    (folder / CORRELATIONS).write_text("{")
    with pytest.raises(CommandError, match=r"Nothing was imported\. training_correlations\.json: not valid JSON"):
        call_command("import_phase3", str(folder))


@pytest.mark.parametrize(("options", "done"), [([], "Imported"), (["--dry-run"], "Dry run")])
def test_a_report_that_could_not_be_written_does_not_hide_what_was_done(folder, tmp_path, monkeypatch, options, done):
    def full(path: Path, *arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    out = StringIO()
    with pytest.raises(CommandError, match=f"^{done}, but the report could not be written: .*No space left"):
        call_command("import_phase3", str(folder), *options, "--report", str(tmp_path / "r.json"), stdout=out)
    assert f"{CORRELATIONS}: 3 rows" in out.getvalue()


def test_a_report_that_cannot_be_written_is_refused_before_the_import(folder, tmp_path):
    with pytest.raises(CommandError, match="can't be written"):
        call_command("import_phase3", str(folder), "--report", str(tmp_path / "nowhere" / "r.json"))
    assert counts_of_all() == [0] * len(MODELS)
