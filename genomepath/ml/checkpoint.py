"""The model folder: what a training run leaves and everything later reads. No pickle anywhere.

``config.json`` (preset, hyperparameters, seed, provenance), ``model.safetensors``, ``catalogue.json`` (practices and
targets in head order), ``history.jsonl``, ``scores.safetensors`` and what later steps add. ``manifest.json`` names
every artefact with its SHA-256, apart from ``tensorboard/``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save as serialise_arrays

from genomepath.ml.config import ConfigError, ModelConfig
from genomepath.ml.scores import Scores

if TYPE_CHECKING:
    from genomepath.ml.fitting import FittedModel

MANIFEST = "manifest.json"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
CATALOGUE = "catalogue.json"
HISTORY = "history.jsonl"
SCORES = "scores.safetensors"
CALIBRATION = "calibration.json"
STATE = "training_state.safetensors"
TENSORBOARD = "tensorboard"
ONNX_PARITY = "onnx_parity.json"

_IDENTITY = (WEIGHTS, CONFIG, CATALOGUE)
"""The files whose bytes make the model what it is; their digest is the model's SHA-256."""


class ModelFolderError(ValueError):
    """The folder is not a model folder, or a file differs from its manifest."""


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from: SHA-256 of the snapshot's records, version of the code, SHA-256 of the constraints."""

    data_sha256: str
    code_version: str
    constraints_sha256: str


@dataclass(frozen=True)
class ModelManifest:
    """SHA-256 of the model and of each artefact, with the seed of the training and the provenance."""

    model_sha256: str
    seed: int
    provenance: Provenance
    files: Mapping[str, str]


def write_fitted_model(fitted: FittedModel, scores: Scores, folder: Path, provenance: Provenance) -> None:
    """Write weights, configuration, catalogue, history and scores; ``update_manifest`` makes the folder complete."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().numpy() for name, tensor in fitted.model.state_dict().items()}
    _write(folder / WEIGHTS, serialise_arrays(weights))
    config = {
        "preset": fitted.config.preset,
        "hyperparameters": fitted.config.to_json(),
        "seed": fitted.seed,
        "best_epoch": fitted.best_epoch,
        "data_sha256": provenance.data_sha256,
        "code_version": provenance.code_version,
        "constraints_sha256": provenance.constraints_sha256,
    }
    write_json(folder / CONFIG, config)
    write_json(folder / CATALOGUE, {"practices": list(fitted.practices), "targets": list(fitted.targets)})
    lines = (json.dumps(record, sort_keys=True, allow_nan=False) + "\n" for record in fitted.history)
    _write(folder / HISTORY, "".join(lines).encode())
    arrays = {"tk_to_genomic": scores.tk_to_genomic, "genomic_to_tk": scores.genomic_to_tk}
    _write(folder / SCORES, serialise_arrays(arrays))


def update_manifest(folder: Path) -> ModelManifest:
    """Take the SHA-256 of every artefact in the folder and write ``manifest.json``.

    Raises:
        ModelFolderError: weights, configuration or catalogue are missing.
    """
    files = {
        path.relative_to(folder).as_posix(): _sha256(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _is_artefact(path.relative_to(folder))
    }
    missing = sorted(set(_IDENTITY) - set(files))
    if missing:
        raise ModelFolderError(f"{folder} lacks {', '.join(missing)}")
    identity = "".join(f"{name}\0{files[name]}\0" for name in _IDENTITY)
    manifest = ModelManifest(_sha256(identity.encode()), _seed(folder), _provenance(folder), files)
    payload = {
        "model_sha256": manifest.model_sha256,
        "seed": manifest.seed,
        "files": files,
        **vars(manifest.provenance),
    }
    write_json(folder / MANIFEST, payload)
    return manifest


def named_files(folder: Path) -> frozenset[str]:
    """Names of the artefacts that the manifest of a complete folder names; nothing is verified.

    Raises:
        ModelFolderError: the manifest is missing or damaged.
    """
    payload = _read_json(folder / MANIFEST)
    try:
        return frozenset(payload["files"])
    except (KeyError, TypeError) as error:
        raise ModelFolderError(f"{folder} has no readable manifest: {error!r}") from error


def read_manifest(folder: Path) -> ModelManifest:
    """Read ``manifest.json`` and verify every file that it names.

    Raises:
        ModelFolderError: no manifest, or a file is missing or differs.
    """
    payload = _read_json(folder / MANIFEST)
    try:
        files: dict[str, str] = payload["files"]
        manifest = ModelManifest(payload["model_sha256"], _seed(folder), _provenance(folder), files)
        changed = [name for name, digest in files.items() if _sha256((folder / name).read_bytes()) != digest]
    except (KeyError, OSError) as error:
        raise ModelFolderError(f"{folder} is not a complete model folder: {error}") from error
    if changed:
        raise ModelFolderError(f"{folder}: {', '.join(sorted(changed))} differ from the manifest")
    return manifest


def read_fitted_model(folder: Path) -> FittedModel:
    """The model of a folder, ready to score.

    Raises:
        ModelFolderError: the folder is incomplete, was changed, or its weights do not fit its configuration.
    """
    import torch
    from safetensors.torch import load_file

    from genomepath.ml.fitting import FittedModel
    from genomepath.ml.model import DualTower

    read_manifest(folder)
    config, catalogue = _read_json(folder / CONFIG), _read_json(folder / CATALOGUE)
    torch.set_num_threads(1)
    try:
        hyperparameters = ModelConfig.from_json(config["hyperparameters"])
        practices, targets = tuple(catalogue["practices"]), tuple(catalogue["targets"])
        model = DualTower(hyperparameters, practices=len(practices), targets=len(targets))
        model.load_state_dict(load_file(str(folder / WEIGHTS)))
        history = tuple(json.loads(line) for line in (folder / HISTORY).read_text(encoding="utf-8").splitlines())
        seed, best_epoch = int(config["seed"]), int(config["best_epoch"])
    except (KeyError, OSError, RuntimeError, SafetensorError, ConfigError, json.JSONDecodeError) as error:
        raise ModelFolderError(f"{folder} holds no readable model: {error}") from error
    return FittedModel(
        model=model.eval(),
        config=hyperparameters,
        seed=seed,
        practices=practices,
        targets=targets,
        best_epoch=best_epoch,
        history=history,
    )


def read_scores(folder: Path) -> Scores:
    """The logits that the model gave its catalogue when it was trained; needs no torch.

    Raises:
        ModelFolderError: the file is missing or damaged.
    """
    try:
        arrays = load_arrays(str(folder / SCORES))
        return Scores(tk_to_genomic=arrays["tk_to_genomic"], genomic_to_tk=arrays["genomic_to_tk"])
    except (OSError, KeyError, SafetensorError) as error:
        raise ModelFolderError(f"{folder} holds no readable scores: {error}") from error


def read_catalogue(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Practice slugs and target symbols in head order.

    Raises:
        ModelFolderError: the file is missing or damaged.
    """
    payload = _read_json(folder / CATALOGUE)
    return tuple(payload["practices"]), tuple(payload["targets"])


def write_json(path: Path, payload: Any) -> None:
    """Write canonical JSON through a partial file, so that a crash leaves the former content."""
    text = json.dumps(payload, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    _write(path, (text + "\n").encode())


def _provenance(folder: Path) -> Provenance:
    config = _read_json(folder / CONFIG)
    return Provenance(config["data_sha256"], config["code_version"], config["constraints_sha256"])


def _seed(folder: Path) -> int:
    """From the configuration, so that a manifest written before it held the seed has one as well."""
    return int(_read_json(folder / CONFIG)["seed"])


def _is_artefact(path: Path) -> bool:
    return path.parts[0] != TENSORBOARD and path.name not in {MANIFEST, STATE} and path.suffix != ".partial"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        payload = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ModelFolderError(f"{path} is not readable: {error}") from error
    if not isinstance(payload, dict):
        raise ModelFolderError(f"{path} does not hold an object")
    return payload


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
