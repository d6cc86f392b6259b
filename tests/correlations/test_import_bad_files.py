"""A file that isn't what it must be refuses the whole import: the message names file, row and field, nothing is written."""

from __future__ import annotations

import json

import pytest

from correlations.importing import reading
from correlations.importing.errors import ImportRefused
from correlations.importing.phase3 import phase3_import
from correlations.models import GenomicTarget, ImportBatch, Practice, QuarantinedRow
from ethics.models import AuditEvent, Community, GovernedItem
from tests.correlations.phase3_export import found_from_practice, practice, write_export

pytestmark = pytest.mark.django_db

CORRELATIONS = "training_correlations.json"


def refusal_of(folder) -> str:
    with pytest.raises(ImportRefused) as caught:
        phase3_import(folder=folder)
    for model in (ImportBatch, QuarantinedRow, GenomicTarget, Practice, Community, GovernedItem, AuditEvent):
        assert model.objects.count() == 0
    return str(caught.value)


def with_text(tmp_path, text: str | bytes, name: str = CORRELATIONS):
    folder = write_export(tmp_path / "export")
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def rows_text(*rows: str) -> str:
    return '{"metadata": {}, "correlations": [' + ", ".join(rows) + "]}"


@pytest.mark.parametrize("name", ["genomic_targets.json", "tk_practices.json", CORRELATIONS])
def test_a_missing_file(tmp_path, name):
    folder = write_export(tmp_path)
    (folder / name).unlink()
    assert refusal_of(folder).startswith(f"{name}: the file is missing")


def test_a_missing_folder(tmp_path):
    assert "missing" in refusal_of(tmp_path / "nowhere")


def test_a_folder_in_the_place_of_a_file(tmp_path):
    folder = write_export(tmp_path)
    (folder / CORRELATIONS).unlink()
    (folder / CORRELATIONS).mkdir()
    assert refusal_of(folder).startswith(f"{CORRELATIONS}: can't be read")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the top level must be an object"),
        ("[]", "the top level must be an object"),
        ("null", "the top level must be an object"),
        ("{}", "field 'correlations': the field is missing"),
        ('{"correlations": {}}', "field 'correlations': must be a list"),
        ('{"correlations": null}', "field 'correlations': must be a list"),
        ('{"correlations": []} {}', "text follows after the end"),
        ('{"correlations": [], "correlations": []}', "field 'correlations': the field is given twice"),
        ('{"correlations": []', "',' or '}' was expected"),
        ('{"correlations": [', "row 1, field 'correlations': not valid JSON"),
        (rows_text('{"a": 1}', '{"a": }'), "row 2, field 'correlations': not valid JSON"),
        (rows_text('{"a": 1} {"a": 2}'), "row 1, field 'correlations': not valid JSON"),
        (rows_text('{"a": "unfinished'), "row 1, field 'correlations': not valid JSON"),
        (rows_text('{"a": "raw \x00 byte"}'), "row 1, field 'correlations': not valid JSON"),
        (rows_text('{"confidence": NaN}'), "row 1, field 'correlations': NaN is not JSON"),
        (rows_text("{}", '{"confidence": -Infinity}'), "row 2, field 'correlations': -Infinity is not JSON"),
        (rows_text('{"a": 1, "a": 2}'), "row 1, field 'correlations': a key is given twice"),
        (rows_text('{"a": ' + "[" * 5000 + "]" * 5000 + "}"), "row 1, field 'correlations': nested too deeply"),
        (rows_text('{"a": ' + "9" * 5000 + "}"), "row 1, field 'correlations': a number has too many digits"),
        (rows_text('{"a": "' + "x" * (reading.VALUE_LIMIT + 1) + '"}'), "a value is longer than"),
        ('{1: "one"}', "a quoted key"),
    ],
)
def test_structure_and_syntax(tmp_path, text, problem):
    message = refusal_of(with_text(tmp_path, text))
    assert message.startswith(CORRELATIONS)
    assert problem in message


def test_text_that_is_not_utf8(tmp_path):
    assert "not UTF-8" in refusal_of(with_text(tmp_path, rows_text('{"a": "é"}').encode("latin-1")))


def test_utf16(tmp_path):
    assert "not UTF-8" in refusal_of(with_text(tmp_path, rows_text("{}").encode("utf-16")))


def test_a_practice_id_given_twice_is_refused_without_repeating_it(tmp_path):
    folder = write_export(tmp_path, practices=[practice(1), practice(2), practice(1, practice_name="Another")])
    message = refusal_of(folder)
    assert message.startswith("tk_practices.json, row 3, field 'practice_id': the id of row 1 is given again")


def test_a_fault_on_the_last_row_leaves_nothing_of_the_first(tmp_path):
    good = json.dumps(found_from_practice())
    assert "row 4" in refusal_of(with_text(tmp_path, rows_text(good, good, "[]", "{oops}")))


def test_a_refusal_does_not_repeat_the_content_of_a_row(tmp_path):
    folder = write_export(tmp_path)
    (folder / "tk_practices.json").write_text('{"practices": [{"practice_name": "CANARY-4711", "x": NaN}]}')
    assert "CANARY" not in refusal_of(folder)


def test_a_byte_order_mark_is_ignored(tmp_path):
    folder = write_export(tmp_path)
    path = folder / CORRELATIONS
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert phase3_import(folder=folder)["files"][CORRELATIONS]["accepted"] == 1


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_rows_read_the_same_whatever_the_size_of_the_window(tmp_path, monkeypatch, chunk):
    rows = [{"n": 12345.5, "t": 'a,]}\\"\u00e9'}, [1, [2]], 678, -1.5e3, "text", None, True]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"skip": {"x": [1, 2]}, "rows": rows, "after": 12}, ensure_ascii=False))
    monkeypatch.setattr(reading, "CHUNK", chunk)
    read = list(reading.read_rows(path, "rows", list))
    assert [row.value for row in read] == rows
    assert [row.number for row in read] == list(range(1, 8))
    assert [json.loads(row.raw) for row in read] == rows
