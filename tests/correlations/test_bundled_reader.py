"""A broken row is refused with the file, the row and the field in the message."""

from __future__ import annotations

import json
import shutil

import pytest

from correlations.bundled import BundledDataError, read_bundled
from correlations.bundled.reader import DATA_FOLDER
from tests.correlations.bundled_folder import spoiled_copy

BAD_ROWS = [
    ("practices.json", {"slug": "Not A Slug"}, "slug"),
    ("practices.json", {"title": ""}, "title"),
    ("practices.json", {"title": " padded"}, "title"),
    ("practices.json", {"route": ["swallowed"]}, "route[0]"),
    ("practices.json", {"basis": "hearsay"}, "basis"),
    ("practices.json", {"indications": []}, "indications"),
    ("practices.json", {"indications": [{"name": "Pain", "id": "D010146"}]}, "indications[0].id"),
    ("practices.json", {"sources": []}, "sources"),
    ("practices.json", {"sources": [{"reference": "", "pmid": "", "doi": "", "urls": []}]}, "sources[0].reference"),
    ("practices.json", {"dose_in_mg": 5}, "dose_in_mg"),
    ("practices.json", {"community": "nobody"}, "community"),
    ("practices.json", {"labels": ["TK ZZ"]}, "labels"),
    ("targets.json", {"hgnc_id": "2159"}, "hgnc_id"),
    ("targets.json", {"ensembl_gene_id": "ENSG1"}, "ensembl_gene_id"),
    ("targets.json", {"pathways": [{"name": "x", "reactome_id": "hsa04080"}]}, "pathways[0].reactome_id"),
    ("evidence.json", {"pmid": "PMC123"}, "pmid"),
    ("evidence.json", {"doi": "doi:10.1/x"}, "doi"),
    ("evidence.json", {"verified": 1}, "verified"),
    ("evidence.json", {"year": "2008"}, "year"),
    ("evidence.json", {"year": 20080}, "year"),
    ("evidence.json", {"level": "anecdote"}, "level"),
    ("evidence.json", {"target": "CB1"}, "target"),
    ("evidence.json", {"conditions": "Pain"}, "conditions"),
    ("synergy_pairs.json", {"target_a": "TRPV1", "target_b": "CNR1"}, "target_a"),
    ("labels.json", {"source": "localcontexts.org"}, "source"),
    ("condition_links.json", {"broader": "MeSH:D999999"}, "broader"),
    ("sacred_placeholders.json", {"protected_names": ["a telling name"]}, "protected_names[0]"),
    ("sacred_placeholders.json", {"region": "somewhere"}, "region"),
]


@pytest.mark.parametrize(("file", "changes", "field"), BAD_ROWS)
def test_a_bad_row_is_refused_by_file_row_and_field(tmp_path, file, changes, field):
    with pytest.raises(BundledDataError) as refusal:
        read_bundled(spoiled_copy(tmp_path, file, 0, changes))
    assert refusal.value.file == file
    assert refusal.value.row
    assert refusal.value.field == field
    assert all(part in str(refusal.value) for part in (file, refusal.value.row, field, refusal.value.problem))


def test_a_missing_field_is_refused(tmp_path):
    with pytest.raises(BundledDataError, match=r"evidence\.json: row 3 \(EV003\): reference: field is missing"):
        read_bundled(spoiled_copy(tmp_path, "evidence.json", 2, {}, drop=("reference",)))


def test_two_rows_of_one_name_are_refused(tmp_path):
    first = json.loads((DATA_FOLDER / "targets.json").read_text(encoding="utf-8"))[0]
    with pytest.raises(BundledDataError, match="another row has the same name"):
        read_bundled(spoiled_copy(tmp_path, "targets.json", 1, first))


def test_an_association_must_rest_on_evidence_of_that_target_and_disease(tmp_path):
    association = {
        "name": "obesity disorder",
        "id": "MONDO:0011122",
        "study_count": None,
        "basis": "literature",
        "evidence": ["EV001"],
        "source": "x",
    }
    with pytest.raises(BundledDataError, match="EV001 is no evidence on CNR1"):
        read_bundled(spoiled_copy(tmp_path, "targets.json", 0, {"disease_associations": [association]}))


@pytest.mark.parametrize(("content", "problem"), [("{", "is no JSON text"), ("{}", "must hold a list of rows")])
def test_a_file_that_is_no_list_of_rows_is_refused(tmp_path, content, problem):
    copy = spoiled_copy(tmp_path, "labels.json", 0, {})
    (copy / "labels.json").write_text(content, encoding="utf-8")
    with pytest.raises(BundledDataError, match=rf"labels\.json: {problem}"):
        read_bundled(copy)


def test_a_missing_file_is_refused_by_name(tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(DATA_FOLDER, copy)
    (copy / "evidence.json").unlink()
    with pytest.raises(BundledDataError, match=r"evidence\.json: can't be read"):
        read_bundled(copy)
