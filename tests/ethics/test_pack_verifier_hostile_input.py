"""What is no whole pack, what was made to harm the verifier, and wrong use: a plain answer, and never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ethics.audit import verify
from tests.ethics.evidence_packs import Files, canonical, key_id, resigned, write_folder, write_zip
from tests.ethics.pack_verifier_runs import FILES, LAST_KEY, run, verdict_of


def zip_bytes(files: Files) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.7, 0.95, 0.999])
def test_truncated_zip_is_refused(tmp_path: Path, part: float) -> None:
    whole = zip_bytes(FILES)
    pack = tmp_path / "pack.zip"
    pack.write_bytes(whole[: int(part * len(whole))])
    answer = run(pack)
    assert answer.code == 1
    assert "NOT VERIFIED" in answer.text


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/etc/passwd", "events.jsonl/x", "a\\..\\b", "C:evil", "\x1b[2Jx", "verify.pyc"]
)
def test_zip_with_a_stranger_in_it_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    answer = run(write_zip(tmp_path / "folder" / "pack.zip", {**FILES, name: b"x"}))
    assert answer.code == 1
    assert "is no file of a pack" in answer.text
    assert "\x1b" not in answer.text
    assert [entry.name for entry in tmp_path.rglob("*") if entry.is_file()] == ["pack.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    pack = write_zip(tmp_path / "pack.zip", FILES)
    with zipfile.ZipFile(pack, "a") as archive:
        archive.writestr("events.jsonl", b"other")
    answer = run(pack)
    assert answer.code == 1
    assert "holds events.jsonl twice" in answer.text


HOSTILE_LINES = {
    "deep": b"[" * 100_000,
    "deep and closed": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge number": b'{"leaf_index":' + b"9" * 100_000 + b',"path":[]}',
    "large number": b'{"leaf_index":9007199254740992,"path":[]}',
    "negative": b'{"leaf_index":-1,"path":[]}',
    "fraction": b'{"leaf_index":1e400,"path":[]}',
    "not a number": b'{"leaf_index":NaN,"path":[]}',
    "true": b'{"leaf_index":true,"path":[]}',
    "wrong kinds": b'{"leaf_index":{},"path":7}',
    "path of numbers": b'{"leaf_index":1,"path":[1]}',
    "hex with letters": b'{"leaf_index":1,"path":["' + b"zz" * 32 + b'"]}',
    "other digits": b'{"leaf_index":1,"path":["' + "٣".encode() * 64 + b'"]}',
    "endless path": b'{"leaf_index":1,"path":[' + b",".join([b'"' + b"00" * 32 + b'"'] * 5000) + b"]}",
    "list": b"[]",
    "text": b'"x"',
    "nothing": b"",
    "no UTF-8": b"\xff\xfe{}",
    "lone surrogate": b'{"path":"\\ud800"}',
    "name twice": b'{"leaf_index":1,"leaf_index":2,"path":[]}',
    "spaces": b'{ "leaf_index":1,"path":[]}',
    "control characters": b'{"leaf_index":"\x1b[2J","path":[]}',
    "too long": b'"' + b"a" * (verify.LONGEST_LINE + 1) + b'"',
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["events.jsonl", "proofs.jsonl", "heads.jsonl", "keys.jsonl", "manifest.json", "manifest.sig"]
)
@pytest.mark.parametrize("line", HOSTILE_LINES)
def test_hostile_line_is_refused_without_a_traceback(tmp_path: Path, name: str, line: str, capsys) -> None:
    files = {**FILES, name: HOSTILE_LINES[line] + b"\n"}
    if not name.startswith("manifest"):
        files = resigned(files, LAST_KEY)
    assert verify.main([str(write_zip(tmp_path / "pack.zip", files))]) == 1
    out = capsys.readouterr().out
    # A path that leads nowhere is told of at its event.
    assert name in out or "events.jsonl line 1" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("field", ["files", "filters", "counts", "head", "log_id", "as_of", "format"])
@pytest.mark.parametrize("value", [None, 7, "text", [], {}, {"a": {"b": 1}}, -1, [[]]], ids=repr)
def test_manifest_of_another_shape_is_refused(tmp_path: Path, field: str, value: object) -> None:
    manifest = {**json.loads(FILES["manifest.json"]), field: value}
    data = canonical(manifest)
    signature = LAST_KEY.sign(verify.FORMAT.encode() + b"\n" + data).hex()
    signed = {"manifest.json": data, "manifest.sig": canonical({"key_id": key_id(LAST_KEY), "signature": signature})}
    accepted = (field == "as_of" and value == "text") or (field == "filters" and value == {})
    pack = write_zip(tmp_path / "pack.zip", {**FILES, **signed})
    assert verify.main([str(pack)]) == (0 if accepted else 1)


def test_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "unpacked", FILES)
    (folder / "events.jsonl").rename(tmp_path / "events.jsonl")
    (folder / "events.jsonl").symlink_to(tmp_path / "events.jsonl")
    answer = run(folder)
    assert answer.code == 1
    assert "events.jsonl is not a plain file" in answer.text


def test_other_file_in_the_folder_is_noted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "unpacked", {**FILES, "letter.txt": b"x"})
    answer = run(folder)
    assert answer.code == 0
    assert "letter.txt lies in the folder and is no part of the pack" in answer.text


@pytest.mark.parametrize(
    "arguments", [["--key", "12ab"], ["--key", "z" * 64], ["--key"], ["--no-such-option"]], ids=str
)
def test_wrong_use_has_its_own_exit_code(tmp_path: Path, arguments: list[str]) -> None:
    answer = verdict_of(tmp_path, FILES, *arguments)
    assert answer.code == 2
    assert "RESULT" not in answer.text


def test_reader_who_goes_away_is_no_error(tmp_path: Path) -> None:
    pack = write_zip(tmp_path / "pack.zip", FILES)
    command = [sys.executable, "-I", "-S", "-B", str(verify.__file__), str(pack)]
    with subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(60) == 2


def test_missing_pack_has_the_exit_code_of_wrong_use(tmp_path: Path) -> None:
    answer = run(tmp_path / "nowhere.zip")
    assert answer.code == 2
    assert "nowhere.zip can't be opened" in answer.text


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads every file")
def test_pack_that_may_not_be_read_has_the_exit_code_of_wrong_use(tmp_path: Path) -> None:
    pack = write_zip(tmp_path / "pack.zip", FILES)
    pack.chmod(0)
    assert run(pack).code == 2
