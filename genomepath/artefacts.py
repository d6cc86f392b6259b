"""Where a model version's files lie, and reading those that Django needs. Imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from genomepath.ml.checkpoint import ModelFolderError, read_manifest
from genomepath.ml.results import EvaluationResult
from genomepath.models import ModelVersion


def artefact_root() -> Path:
    """The folder of snapshots and models."""
    return Path(settings.ARTEFACT_ROOT)


def snapshot_folder(data_sha256: str) -> Path:
    """The folder of a snapshot; equal content has one folder."""
    return artefact_root() / "snapshots" / data_sha256


def model_folder(version: ModelVersion) -> Path:
    """The folder of a model version."""
    return artefact_root() / version.folder


def relative_to_root(folder: Path) -> str:
    """How a folder is noted in the database, so that the artefact root can move."""
    return folder.resolve().relative_to(artefact_root().resolve()).as_posix()


def read_json(path: Path) -> Any:
    """A JSON file, or None where it does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def read_evaluation(version: ModelVersion) -> EvaluationResult | None:
    """The evaluation of a version, or None where there is none that can be read."""
    try:
        payload = read_json(model_folder(version) / "evaluation.json")
        return EvaluationResult.from_dict(payload) if payload is not None else None
    except ValueError:  # no JSON, no UTF-8, or a ResultError
        return None


def verify_model_files(version: ModelVersion) -> None:
    """Hold the files of a version to their manifest, and the manifest to the version: the row alone proves nothing.

    Raises:
        ValidationError: a file is missing or differs, or the folder holds another model.
    """
    try:
        manifest = read_manifest(model_folder(version))
    except ModelFolderError as error:
        raise ValidationError(f"The files of this model version are not those of its manifest: {error}") from error
    if manifest.model_sha256 != version.sha256:
        raise ValidationError(
            f"The folder of this model version holds another model, {manifest.model_sha256[:12]}: train it again."
        )


def evaluation_figures(version: ModelVersion) -> dict[str, Any]:
    """The evaluation of a version without its held-out pairs: they name practices, and no copy of these is on record.

    What names practices outside the folder of a model is a report, with its credits and its place in the register.

    Raises:
        OSError: there is none that can be read.
    """
    evaluation: dict[str, Any] = json.loads((model_folder(version) / "evaluation.json").read_text(encoding="utf-8"))
    protocols = {
        name: {key: value for key, value in result.items() if key != "outcomes"}
        for name, result in evaluation["protocols"].items()
    }
    return {**evaluation, "protocols": protocols}
