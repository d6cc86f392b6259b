"""A coverage of 100% by sets of all candidates is told apart from one that was earned."""

from __future__ import annotations

from dataclasses import replace

from genomepath.reporting.sets import conformal_sets
from tests.genomepath.report_reader import sentences

WHY = "Too few links calibrated, so that every candidate was in the set:"


def with_unlimited(material, **counts):
    """The material in which scorers could not set a threshold in some folds of P3, from target to practice."""
    result = material.evaluation.protocols["P3"]
    scorers = {}
    for name, row in result.scorers.items():
        directions = {
            way: replace(cells, sets=replace(cells.sets, unlimited=counts.get(name, 0) * (way == "genomic_to_tk")))
            for way, cells in row.directions.items()
        }
        scorers[name] = replace(row, directions=directions)
    protocols = {"P3": replace(result, scorers=scorers)}
    return replace(material, evaluation=replace(material.evaluation, protocols=protocols))


def test_folds_without_a_threshold_are_counted_for_each_scorer(material):
    said = sentences(conformal_sets(with_unlimited(material, model=2, popularity=5)))

    assert said[-2:] == [WHY, "G→TK on P3: model 2, popularity 5 of 5 folds."]


def test_the_folds_of_all_seeds_are_counted(material):
    told = with_unlimited(material, model=2)
    told = replace(told, evaluation=replace(told.evaluation, seeds=(0, 1, 2)))

    assert sentences(conformal_sets(told))[-1] == "G→TK on P3: model 2 of 15 folds."


def test_nothing_is_said_where_every_fold_set_a_threshold(material):
    assert WHY not in sentences(conformal_sets(with_unlimited(material)))
