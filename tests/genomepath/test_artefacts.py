"""Where artefacts lie, and that damaged ones never pass for good ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomepath.artefacts import artefact_root, model_folder, read_evaluation, read_json, relative_to_root
from tests.factories import make_model_version


def test_a_folder_is_noted_relative_to_the_root_so_that_the_root_can_move(settings):
    folder = artefact_root() / "models" / "run-1"
    noted = relative_to_root(folder)
    settings.ARTEFACT_ROOT = Path(settings.ARTEFACT_ROOT).with_name("moved")

    assert noted == "models/run-1"
    assert artefact_root() / noted == Path(settings.ARTEFACT_ROOT) / "models" / "run-1"


def test_a_folder_outside_the_root_is_refused(tmp_path):
    with pytest.raises(ValueError, match="subpath"):
        relative_to_root(artefact_root() / ".." / "elsewhere")


def test_an_absent_json_file_reads_as_none(tmp_path):
    assert read_json(tmp_path / "absent.json") is None


@pytest.mark.django_db
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"{}", b'{"schema": 99}'])
def test_an_evaluation_that_cannot_be_read_counts_as_absent(content):
    version = make_model_version()
    folder = model_folder(version)
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "evaluation.json").write_bytes(content)

    assert read_evaluation(version) is None
