"""The report says whether the data can tell doses apart at all."""

from __future__ import annotations

from dataclasses import replace

from genomepath.ml.snapshot import DOSES
from genomepath.reporting.document import Paragraph
from genomepath.reporting.doses_and_synergies import doses, synergies


def holding(material, rows):
    return replace(material, snapshot=replace(material.snapshot, correlations=tuple(rows)))


def test_equal_targets_at_each_dose_can_tell_nothing(material):
    equal = {replace(row, dose=dose, confidence=0.5) for row in material.snapshot.correlations for dose in DOSES}

    sentence = doses(holding(material, equal))[1]

    assert isinstance(sentence, Paragraph)
    assert sentence.text.startswith("This data can't tell doses apart")


def test_pairs_of_one_dose_alone_are_counted(material):
    first, second, *_ = {row.target: row for row in material.snapshot.correlations}.values()
    rows = (replace(first, dose="low"), replace(second, dose="high"), replace(second, dose="medium"))

    sentence = doses(holding(material, rows))[1]

    assert isinstance(sentence, Paragraph)
    assert sentence.text.startswith("0 pairs are documented at the high dose alone, 1 at the low dose alone.")


def test_without_curated_pairs_synergy_is_not_measured(material):
    protocols = {
        name: replace(result, scorers={scorer: replace(row, synergy=None) for scorer, row in result.scorers.items()})
        for name, result in material.evaluation.protocols.items()
    }

    blocks = synergies(replace(material, evaluation=replace(material.evaluation, protocols=protocols)))

    assert blocks[-1] == Paragraph("The data holds no curated synergy pair: nothing can be measured.")
