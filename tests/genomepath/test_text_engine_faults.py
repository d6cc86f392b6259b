"""Whatever is wrong with the files of a model, texts get 503 until they are right, and never a fault or a wrong answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from genomepath.artefacts import model_folder
from genomepath.ml.known_targets import FILE as KNOWN_TARGETS
from genomepath.ml.onnx_files import GENOMIC_TO_TK, TK_TO_GENOMIC
from genomepath.models import ModelVersion
from genomepath.models.model_version import VersionState
from tests.genomepath.test_api_texts import DESCRIPTIONS, GENE, KNOWN, TEXTS


def write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-100])


def swap(folder: Path) -> None:
    """Both graphs load, and neither fits the other's place."""
    one, other = folder / TK_TO_GENOMIC, folder / GENOMIC_TO_TK
    spare = folder / "spare"
    one.rename(spare)
    other.rename(one)
    spare.rename(other)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "graph cut short": cut(TK_TO_GENOMIC),
    "graph empty": write(GENOMIC_TO_TK, b""),
    "graph of noise": write(TK_TO_GENOMIC, b"\x00\xff" * 4000),
    "graphs swapped": swap,
    "graph gone": lambda folder: (folder / GENOMIC_TO_TK).unlink(),
    "texts of known targets cut short": cut(KNOWN_TARGETS),
    "texts of known targets gone": lambda folder: (folder / KNOWN_TARGETS).unlink(),
    "calibration cut short": write("calibration.json", b'{"tk_to_genomic": {'),
    "calibration a list": write("calibration.json", b"[]"),
    "calibration without curves": write("calibration.json", b"{}"),
    "calibration of texts": write("calibration.json", b'{"tk_to_genomic": "a", "genomic_to_tk": "b"}'),
    "calibration no UTF-8": write("calibration.json", b"\xff\xfe"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_files_are_503_until_they_are_whole(evaluated, make_api_client, tmp_path, damage):
    ModelVersion.objects.update(state=VersionState.ACTIVE.value)
    folder = model_folder(ModelVersion.objects.get())
    shutil.copytree(folder, tmp_path / "whole")
    damage(folder)
    http = make_api_client().http
    for url, body in ((TEXTS, {"text": KNOWN}), (DESCRIPTIONS, GENE)):
        response = http.post(url, body, format="json")
        assert (response.status_code, response["Retry-After"]) == (503, "60")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "whole", folder)
    for url, body in ((TEXTS, {"text": KNOWN}), (DESCRIPTIONS, GENE)):
        assert http.post(url, body, format="json").status_code == 200


def test_a_process_that_has_loaded_the_files_goes_on_with_them(evaluated, make_api_client):
    ModelVersion.objects.update(state=VersionState.ACTIVE.value)
    http = make_api_client().http
    before = http.post(TEXTS, {"text": KNOWN}, format="json")
    shutil.rmtree(model_folder(ModelVersion.objects.get()))
    after = http.post(TEXTS, {"text": KNOWN}, format="json")
    assert (before.status_code, after.content) == (200, before.content)
