from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.inference import score_catalogue, score_new_practice, score_new_target
from genomepath.ml.model import DualTower
from genomepath.ml.onnx_export import PARITY_TOLERANCE, ParityError, export_onnx
from genomepath.ml.onnx_files import GENOMIC_TO_TK, TK_TO_GENOMIC, record_inputs
from genomepath.ml.records import practice_features, target_features
from genomepath.ml.snapshot import DiseaseRecord, PracticeRecord, TargetRecord
from genomepath.ml.training import fit
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot()


@pytest.fixture(scope="module")
def features():
    return synthetic_features(SNAPSHOT)


@pytest.fixture(scope="module")
def model(features) -> DualTower:
    truth = TruthMatrix.from_snapshot(SNAPSHOT)
    return fit(features, truth, None, preset_config("small", epochs=3), seed=0).model


@pytest.fixture(scope="module")
def scores_before_export(model, features):
    return score_catalogue(model, features)


@pytest.fixture(scope="module")
def folder(model, features, scores_before_export, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    assert export_onnx(model, features, folder) <= PARITY_TOLERANCE
    return folder


def run(path, **inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["logits", "shared", "shared_logits"], inputs)


def test_known_practices_score_as_in_torch_at_every_dose(folder, model, features):
    expected = score_catalogue(model, features)
    for dose in range(3):
        logits, shared, shared_logits = run(
            folder / TK_TO_GENOMIC,
            **record_inputs(features.practices),
            dose=np.full(12, dose),
        )
        np.testing.assert_allclose(logits, expected.tk_to_genomic[:, dose], atol=PARITY_TOLERANCE)
        assert shared.shape == (12, 64)
        assert shared_logits.shape == (12, 10)


def test_known_targets_score_as_in_torch(folder, model, features):
    logits, _, shared_logits = run(
        folder / GENOMIC_TO_TK,
        **record_inputs(features.targets),
    )
    np.testing.assert_allclose(logits, score_catalogue(model, features).genomic_to_tk, atol=PARITY_TOLERANCE)
    assert shared_logits.shape == (10, 36)


@pytest.mark.parametrize("indications", [0, 1, 9])
def test_a_new_text_of_another_length_scores_as_in_torch(indications, folder, model, features):
    record = PracticeRecord("", "a text", "", tuple(f"mock {n}" for n in range(indications)), "", "")
    expected = score_new_practice(model, features, HashEncoder(), record)
    logits, _, shared_logits = run(
        folder / TK_TO_GENOMIC,
        **record_inputs(practice_features(record, HashEncoder()), in_catalogue=False),
        dose=np.array([1]),
    )
    np.testing.assert_allclose(logits[0], expected.logits[1], atol=PARITY_TOLERANCE)
    np.testing.assert_allclose(shared_logits[0], expected.shared_space[1], atol=PARITY_TOLERANCE)


def test_a_target_described_by_its_fields_scores_as_in_torch(folder, model, features):
    record = TargetRecord(
        "NEW1", "a new protein", ("invented pathway 1",), (), (DiseaseRecord("invented condition 3"),)
    )
    expected = score_new_target(model, features, HashEncoder(), record)
    logits, _, shared_logits = run(
        folder / GENOMIC_TO_TK, **record_inputs(target_features(record, HashEncoder()), in_catalogue=False)
    )
    np.testing.assert_allclose(logits[0], expected.genomic_to_tk, atol=PARITY_TOLERANCE)
    np.testing.assert_allclose(shared_logits[0], expected.shared_space.ravel(), atol=PARITY_TOLERANCE)


def test_equal_models_export_equal_bytes_without_paths(folder, model, features, tmp_path):
    export_onnx(model, features, tmp_path)
    for name in (TK_TO_GENOMIC, GENOMIC_TO_TK):
        content = (folder / name).read_bytes()
        assert content == (tmp_path / name).read_bytes()
        assert b".py" not in content
        assert b"/site-packages" not in content


def test_export_leaves_the_model_as_it_was(folder, model, features, scores_before_export):
    assert (folder / TK_TO_GENOMIC).exists()
    after = score_catalogue(model, features)
    np.testing.assert_array_equal(scores_before_export.tk_to_genomic, after.tk_to_genomic)


def test_a_difference_beyond_the_tolerance_is_an_error(model, features, tmp_path, monkeypatch):
    monkeypatch.setattr("genomepath.ml.onnx_export.PARITY_TOLERANCE", -1.0)
    with pytest.raises(ParityError, match="differs from torch"):
        export_onnx(model, features, tmp_path)
