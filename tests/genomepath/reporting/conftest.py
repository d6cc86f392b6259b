"""The material of a report, without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomepath.ml.results import EvaluationResult
from genomepath.ml.snapshot import read_snapshot
from genomepath.reporting.material import ModelFacts, ReportMaterial, SourceCounts


@pytest.fixture
def material(judged, trained_model) -> ReportMaterial:
    """The judged model with a history of two epochs; it was calibrated on two parts and saw approved links alone."""
    snapshot = read_snapshot(trained_model.root / trained_model.version["snapshot_folder"])
    model = ModelFacts(
        sha256="0" * 64,
        preset="small",
        seed=0,
        best_epoch=2,
        data_sha256=judged.data_sha256,
        code_version="",
        constraints_sha256="",
        calibration_parts=2,
        include_drafts=False,
        history=(
            {"epoch": 1, "train_loss": 0.3, "validation_loss": 0.05},
            {"epoch": 2, "train_loss": 0.2, "validation_loss": 0.12},
        ),
    )
    return ReportMaterial(judged, snapshot, model, SourceCounts(0, 0, {}), {})


@pytest.fixture
def imported(material) -> ReportMaterial:
    """The same, of labels that no rule derived."""
    protocols = {
        name: replace(result, scorers={scorer: row for scorer, row in result.scorers.items() if not row.oracle})
        for name, result in material.evaluation.protocols.items()
    }
    evaluation: EvaluationResult = replace(material.evaluation, protocols=protocols)
    return ReportMaterial(evaluation, material.snapshot, material.model, material.sources, material.credits)
