"""A whole run with the real all-MiniLM-L6-v2 and the small preset."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genomepath.ml import checkpoint, training
from genomepath.ml.checkpoint import ModelFolderError, Provenance
from genomepath.ml.config import preset_config
from genomepath.ml.conformal import read_thresholds
from genomepath.ml.dataset import TruthMatrix, build_text_features
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.evaluation import evaluate
from genomepath.ml.fitting import TrainingInterrupted
from genomepath.ml.judgement import judge
from genomepath.ml.leakage import LeakageError
from genomepath.ml.scores import takes_validation
from genomepath.ml.snapshot import DIRECTIONS, DOSES, write_snapshot
from genomepath.ml.splits import stratified_pair_split
from genomepath.ml.training import fit
from genomepath.ml.training_run import CodeIdentity, model_scorer, train_model
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=16, targets=12)
CONFIG = preset_config("small", epochs=5)
CODE = CodeIdentity(code_version="test", constraints_sha256="0" * 64)


@pytest.fixture(scope="module")
def snapshot_folder(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("snapshot")
    write_snapshot(SNAPSHOT, folder, code_version="test")
    return folder


@pytest.fixture(scope="module")
def encoder() -> MiniLMEncoder:
    return MiniLMEncoder()


@pytest.fixture(scope="module")
def model_folder(snapshot_folder, encoder, tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("model")
    train_model(
        snapshot_folder,
        folder,
        CONFIG,
        seed=0,
        evaluate_epoch=lambda epoch, scores, truth, split: {"known_pairs": float(truth.pairs.sum())},
        code=CODE,
        encoder=encoder,
    )
    return folder


def test_the_model_folder_is_complete_and_holds_no_pickle(model_folder):
    names = {path.name for path in model_folder.iterdir()}
    assert names == {
        "calibration.json",
        "catalogue.json",
        "config.json",
        "field_shares.json",
        "field_shares.safetensors",
        "genomic_to_tk.onnx",
        "history.jsonl",
        "known_targets.safetensors",
        "manifest.json",
        "model.safetensors",
        "onnx_parity.json",
        "scores.safetensors",
        "tensorboard",
        "tk_to_genomic.onnx",
    }
    contents = {path.name: path.read_bytes() for path in model_folder.glob("*.*") if path.is_file()}
    # Safetensors begin with the length of their header, whose first byte may be that of a pickle, and then the header.
    others = {name: content for name, content in contents.items() if not name.endswith(".safetensors")}
    assert not [name for name, content in others.items() if content.startswith((b"\x80", b"PK"))]
    assert all(contents[name][8:9] == b"{" for name in contents.keys() - others.keys())


def test_the_manifest_file_names_seed_data_code_and_constraints(model_folder):
    written = json.loads((model_folder / "manifest.json").read_text(encoding="utf-8"))
    assert (written["seed"], written["data_sha256"]) == (0, SNAPSHOT.data_sha256)
    assert (written["code_version"], written["constraints_sha256"]) == ("test", "0" * 64)


def test_the_manifest_that_is_read_back_says_where_the_model_comes_from(model_folder):
    manifest = checkpoint.read_manifest(model_folder)
    assert manifest.seed == 0
    assert manifest.provenance == Provenance(SNAPSHOT.data_sha256, "test", "0" * 64)


def test_what_the_manifest_says_beside_the_files_is_no_part_of_what_the_model_is_known_by(model_folder):
    written = json.loads((model_folder / "manifest.json").read_text(encoding="utf-8"))
    known_by = "".join(
        f"{name}\0{written['files'][name]}\0" for name in ("model.safetensors", "config.json", "catalogue.json")
    )
    assert written["model_sha256"] == hashlib.sha256(known_by.encode()).hexdigest()


def test_a_manifest_from_before_it_held_the_seed_is_read_all_the_same(model_folder, tmp_path):
    for path in model_folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    written = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    del written["seed"]
    checkpoint.write_json(tmp_path / "manifest.json", written)
    assert checkpoint.read_manifest(tmp_path) == checkpoint.read_manifest(model_folder)


def test_the_manifest_names_every_artefact(model_folder):
    manifest = checkpoint.read_manifest(model_folder)
    assert set(manifest.files) == {path.name for path in model_folder.iterdir()} - {"manifest.json", "tensorboard"}


def test_the_model_read_back_scores_as_the_one_that_was_written(model_folder, encoder):
    fitted = checkpoint.read_fitted_model(model_folder)
    found = fitted.score(build_text_features(SNAPSHOT, encoder))
    stored = checkpoint.read_scores(model_folder)
    np.testing.assert_array_equal(found.tk_to_genomic, stored.tk_to_genomic)
    np.testing.assert_array_equal(found.genomic_to_tk, stored.genomic_to_tk)
    assert checkpoint.read_catalogue(model_folder) == (fitted.practices, fitted.targets)
    assert fitted.config == CONFIG


def test_two_runs_with_one_seed_write_the_same_artefacts(model_folder, snapshot_folder, encoder, tmp_path):
    manifest = train_model(
        snapshot_folder,
        tmp_path,
        CONFIG,
        seed=0,
        evaluate_epoch=lambda epoch, scores, truth, split: {"known_pairs": float(truth.pairs.sum())},
        code=CODE,
        encoder=encoder,
    )
    assert manifest == checkpoint.read_manifest(model_folder)


@pytest.mark.parametrize("name", ["model.safetensors", "catalogue.json", "tk_to_genomic.onnx"])
def test_a_changed_file_is_found(model_folder, tmp_path, name):
    for path in model_folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelFolderError, match=f"{name} differ"):
        checkpoint.read_fitted_model(tmp_path)


def test_a_folder_without_a_manifest_is_no_model(tmp_path):
    with pytest.raises(ModelFolderError, match=r"manifest\.json is not readable"):
        checkpoint.read_fitted_model(tmp_path)


def test_an_added_artefact_changes_the_manifest_but_not_the_model(model_folder, tmp_path):
    for path in model_folder.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    checkpoint.write_json(tmp_path / "evaluation.json", {"p1": {}})
    manifest = checkpoint.update_manifest(tmp_path)
    assert "evaluation.json" in manifest.files
    assert manifest.model_sha256 == checkpoint.read_manifest(model_folder).model_sha256


def test_calibration_is_monotone_and_kept_per_direction_and_dose(model_folder):
    calibration = json.loads((model_folder / "calibration.json").read_text())
    assert set(calibration) == {"tk_to_genomic", "genomic_to_tk", "sets"}
    assert set(calibration["tk_to_genomic"]) == set(DOSES)
    curves = [*calibration["tk_to_genomic"].values(), calibration["genomic_to_tk"]]
    assert all(curve["slope"] >= 0 for curve in curves)


def test_the_calibration_holds_the_sets_of_both_directions(model_folder):
    thresholds = read_thresholds(json.loads((model_folder / "calibration.json").read_text()))
    assert thresholds is not None
    split = stratified_pair_split(TruthMatrix.from_snapshot(SNAPSHOT), seed=0)
    held_out = split.train & np.logical_or.reduce(split.calibration_parts)
    assert {way: found.links for way, found in thresholds.items()} == dict.fromkeys(DIRECTIONS, held_out.sum())


def test_tensorboard_holds_losses_rates_norms_metrics_and_hyperparameters(model_folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(model_folder / "tensorboard")).Reload()
    scalars = set(events.Tags()["scalars"])
    assert {
        "training/train_loss",
        "training/validation_loss",
        "training/learning_rate",
        "training/gradient_norm",
        "metrics/known_pairs",
    } <= scalars
    assert len(events.Scalars("training/train_loss")) == 5
    assert "hyperparameters/text_summary" in events.Tags()["tensors"]


def test_a_stopped_run_is_taken_up_again_to_the_same_end(model_folder, snapshot_folder, encoder, tmp_path):
    asked = iter([False, True])
    with pytest.raises(TrainingInterrupted):
        train_model(
            snapshot_folder, tmp_path, CONFIG, seed=0, should_stop=lambda: next(asked), code=CODE, encoder=encoder
        )
    assert not (tmp_path / "manifest.json").exists()
    manifest = train_model(snapshot_folder, tmp_path, CONFIG, seed=0, resume=True, code=CODE, encoder=encoder)
    assert manifest.model_sha256 == checkpoint.read_manifest(model_folder).model_sha256
    assert not (tmp_path / checkpoint.STATE).exists()


def test_the_model_scorer_fits_after_a_journey_between_processes():
    scorer = pickle.loads(pickle.dumps(model_scorer(CONFIG)))  # noqa: S301 - our own object
    truth = TruthMatrix.from_snapshot(SNAPSHOT)
    split = stratified_pair_split(truth, 0)
    training, validation = truth.only_pairs(split.train), truth.only_pairs(split.validation)
    scores = scorer(SNAPSHOT, synthetic_features(SNAPSHOT), training, validation=validation, seed=3)
    assert takes_validation(scorer)
    assert scores.genomic_to_tk.shape == (12, 16)


def test_test_pairs_cannot_influence_the_model(model_folder, encoder):
    """The run on a snapshot and a fit that was never given the test pairs agree to the last bit."""
    features = build_text_features(SNAPSHOT, encoder)
    truth = TruthMatrix.from_snapshot(SNAPSHOT)
    split = stratified_pair_split(truth, 0)
    known = truth.without_pairs(split.test)
    fitted = fit(features, known.only_pairs(split.train), known.only_pairs(split.validation), CONFIG, seed=0)
    stored = checkpoint.read_scores(model_folder)
    np.testing.assert_array_equal(fitted.score(features).tk_to_genomic, stored.tk_to_genomic)


def test_reading_snapshots_scores_and_configuration_imports_no_torch():
    program = (
        "import sys; import genomepath.ml.training_run, genomepath.ml.checkpoint, genomepath.ml.dataset;"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_where_links_are_dealt_at_random_the_model_ranks_new_records_by_chance():
    """A scorer that learned which candidates it has seen would place the unseen ones first: among those is the answer."""
    found: dict[str, list[float]] = {"tk_to_genomic": [], "genomic_to_tk": []}
    chance: dict[str, list[float]] = {"tk_to_genomic": [], "genomic_to_tk": []}
    for seed in range(3):
        snapshot = synthetic_snapshot(practices=20, targets=16, seed=seed)
        scorers = {"model": model_scorer(preset_config("small", epochs=12, calibration_parts=0))}
        result = evaluate(snapshot, synthetic_features(snapshot), scorers, protocols=("P2", "P3"), folds=3)
        for protocol, way in (("P2", "genomic_to_tk"), ("P3", "tk_to_genomic")):
            found[way].append(result.protocols[protocol].scorers["model"].directions[way].mrr.measured[0])
            chance[way].append(result.protocols[protocol].chance.mrr[way])
    for way, values in found.items():
        assert np.mean(values) == pytest.approx(np.mean(chance[way]), abs=0.06)


@pytest.mark.parametrize("asked", [False, True])
def test_the_model_without_condition_fields_is_judged_where_it_is_asked_for(asked):
    snapshot = synthetic_snapshot(practices=16, targets=12)
    config = preset_config("small", epochs=1, calibration_parts=0)
    result = judge(snapshot, config, protocols=("P1",), without_conditions=asked, encoder=HashEncoder())
    assert ("model without condition fields" in result.protocols["P1"].scorers) is asked


@pytest.mark.parametrize(
    ("parts", "said"), [(0, "the part of each training side that its training stopped by"), (2, "on 2 of the 8 parts")]
)
def test_an_evaluation_says_what_the_model_was_calibrated_on(parts, said):
    snapshot = synthetic_snapshot(practices=16, targets=12)
    config = preset_config("small", epochs=1, calibration_parts=parts)
    result = judge(snapshot, config, protocols=("P1",), encoder=HashEncoder())
    assert [said in note for note in result.notes].count(True) == 1


def test_a_model_without_calibration_parts_is_calibrated_on_its_validation_part(tmp_path):
    write_snapshot(SNAPSHOT, tmp_path / "snapshot", code_version="test")
    config = preset_config("small", epochs=1, calibration_parts=0)
    train_model(tmp_path / "snapshot", tmp_path / "model", config, seed=0, encoder=HashEncoder())
    thresholds = read_thresholds(json.loads((tmp_path / "model" / "calibration.json").read_text()))
    validation = stratified_pair_split(TruthMatrix.from_snapshot(SNAPSHOT), seed=0).validation
    assert thresholds is not None
    assert {way: found.links for way, found in thresholds.items()} == dict.fromkeys(DIRECTIONS, validation.sum())


def test_calibration_leaves_the_weights_as_they_are(tmp_path):
    write_snapshot(SNAPSHOT, tmp_path / "snapshot", code_version="test")
    for parts in (0, 3):
        config = preset_config("small", epochs=1, calibration_parts=parts)
        train_model(tmp_path / "snapshot", tmp_path / str(parts), config, seed=0, encoder=HashEncoder())
    weights = [(tmp_path / str(parts) / checkpoint.WEIGHTS).read_bytes() for parts in (0, 3)]
    assert weights[0] == weights[1]


def leaking(side):
    """A split in which the first test pair stands on another side as well."""

    def split_of(truth, seed):
        split = stratified_pair_split(truth, seed)
        pair = np.zeros_like(split.test)
        pair[tuple(np.argwhere(split.test)[0])] = True
        if side == "calibration":
            return replace(split, calibration_parts=(split.calibration_parts[0] | pair, *split.calibration_parts[1:]))
        return replace(split, **{side: getattr(split, side) | pair})

    return split_of


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("train", "training and test share"),
        ("validation", "validation and test share"),
        ("calibration", "calibration and test share"),
    ],
)
def test_a_training_with_a_test_pair_on_another_side_fails_before_it_begins(
    snapshot_folder, encoder, tmp_path, monkeypatch, side, message
):
    monkeypatch.setattr("genomepath.ml.training_run.stratified_pair_split", leaking(side))

    with pytest.raises(LeakageError, match=message):
        train_model(snapshot_folder, tmp_path, CONFIG, seed=0, code=CODE, encoder=encoder)

    assert not (tmp_path / "model.safetensors").exists()


def test_a_model_that_takes_evidence_from_a_test_pair_is_no_model(snapshot_folder, encoder, tmp_path, monkeypatch):
    """A fit that keeps all known links, whatever it was given."""
    honest = training.fit

    def fit_all(features, truth, validation, config, **options):
        fitted = honest(features, truth, validation, config, **options)
        fitted.model.pairs.add_links(TruthMatrix.from_snapshot(SNAPSHOT))
        return fitted

    monkeypatch.setattr(training, "fit", fit_all)

    with pytest.raises(LeakageError, match="the model's links and the test side share"):
        train_model(snapshot_folder, tmp_path, CONFIG, seed=0, code=CODE, encoder=encoder)

    assert not (tmp_path / "manifest.json").exists()
