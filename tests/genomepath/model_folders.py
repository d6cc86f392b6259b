"""Model folders that tests write by hand: what publication reads and verifies, without a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from safetensors.numpy import save_file

from correlations.models import GenomicTarget, Practice
from genomepath.ml.calibration import ListCalibration, PlattCalibration
from genomepath.ml.checkpoint import update_manifest, write_json
from genomepath.ml.confidence_curves import ConfidenceCurves
from genomepath.ml.conformal import SET_LEVEL, SetThreshold
from genomepath.models import ModelVersion
from tests.factories import make_model_version

IN_LISTS = ListCalibration(slope=1.0, level_slope=0.0, intercept=0.0)
UNCHANGED = ConfidenceCurves((IN_LISTS, IN_LISTS, IN_LISTS), PlattCalibration(slope=1.0, intercept=0.0))


def write_scores(
    folder: Path,
    practices: Sequence[str],
    targets: Sequence[str],
    *,
    seed: int = 0,
    least_logit: float | None = None,
    curves: ConfidenceCurves = UNCHANGED,
) -> None:
    """Catalogue, random logits and their curves; with a least logit, sets as well."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    arrays = {
        "tk_to_genomic": rng.normal(size=(len(practices), 3, len(targets))).astype(np.float32),
        "genomic_to_tk": rng.normal(size=(len(targets), len(practices))).astype(np.float32),
    }
    save_file(arrays, folder / "scores.safetensors")
    write_json(folder / "catalogue.json", {"practices": list(practices), "targets": list(targets)})
    calibration: dict[str, Any] = curves.to_dict()
    if least_logit is not None:
        threshold = SetThreshold(SET_LEVEL, least_logit, links=30).to_dict()
        calibration["sets"] = {"tk_to_genomic": threshold, "genomic_to_tk": threshold}
    write_json(folder / "calibration.json", calibration)


def make_scored_version(
    practices: Sequence[Practice],
    targets: Sequence[GenomicTarget],
    *,
    seed: int = 0,
    least_logit: float | None = None,
    curves: ConfidenceCurves = UNCHANGED,
    **fields,
) -> ModelVersion:
    """A candidate whose folder holds scores for these practices and targets."""
    name = f"models/scored-{seed}"
    folder = Path(settings.ARTEFACT_ROOT) / name
    slugs, symbols = [practice.slug for practice in practices], [target.symbol for target in targets]
    write_scores(folder, slugs, symbols, seed=seed, least_logit=least_logit, curves=curves)
    sha256 = complete_folder(folder, seed=seed)
    return make_model_version(**{"state": "candidate", "folder": name, "sha256": sha256, **fields})


def complete_folder(folder: Path, *, seed: int) -> str:
    """Configuration, weights that nothing reads, and the manifest; returns the SHA-256 of the model."""
    provenance = {"data_sha256": "0" * 64, "code_version": "test", "constraints_sha256": "0" * 64}
    write_json(folder / "config.json", {"seed": seed, **provenance})
    (folder / "model.safetensors").write_bytes(b"weights")
    return update_manifest(folder).model_sha256
