"""The report says whether the data can tell doses apart at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomepath.ml.snapshot import DOSES, Snapshot, read_snapshot
from genomepath.reporting.document import Paragraph
from genomepath.reporting.doses_and_synergies import doses, synergies
from genomepath.reporting.material import ModelFacts, ReportMaterial, SourceCounts


@pytest.fixture
def snapshot(trained_model) -> Snapshot:
    return read_snapshot(trained_model.root / trained_model.version["snapshot_folder"])


def material(evaluation, snapshot) -> ReportMaterial:
    model = ModelFacts("0" * 64, "small", 0, 1, evaluation.data_sha256, "", "")
    return ReportMaterial(evaluation, snapshot, model, SourceCounts(0, 0, {}), {})


def test_equal_targets_at_each_dose_can_tell_nothing(judged, snapshot):
    equal = {replace(row, dose=dose, confidence=0.5) for row in snapshot.correlations for dose in DOSES}

    sentence = doses(material(judged, replace(snapshot, correlations=tuple(equal))))[1]

    assert isinstance(sentence, Paragraph)
    assert sentence.text.startswith("This data can't tell doses apart")


def test_pairs_of_one_dose_alone_are_counted(judged, snapshot):
    first, second, *_ = {row.target: row for row in snapshot.correlations}.values()
    rows = (replace(first, dose="low"), replace(second, dose="high"), replace(second, dose="medium"))

    sentence = doses(material(judged, replace(snapshot, correlations=rows)))[1]

    assert isinstance(sentence, Paragraph)
    assert sentence.text.startswith("0 pairs are documented at the high dose alone, 1 at the low dose alone.")


def test_without_curated_pairs_synergy_is_not_measured(judged, snapshot):
    protocols = {
        name: replace(result, scorers={scorer: replace(row, synergy=None) for scorer, row in result.scorers.items()})
        for name, result in judged.protocols.items()
    }

    blocks = synergies(material(replace(judged, protocols=protocols), snapshot))

    assert blocks[-1] == Paragraph("The data holds no curated synergy pair: nothing can be measured.")
