"""How correlations are derived from the bundled data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from correlations.bundled import DOSES, BundledData, read_bundled
from correlations.derivation_summary import summarise
from correlations.evidence_paths import (
    APPROVED,
    DRAFT,
    GENOMIC_TO_TK,
    TK_TO_GENOMIC,
    DerivedCorrelation,
    derive_correlations,
)

KAMPO = "japan-kampo-mashiningan"


@pytest.fixture(scope="module")
def data() -> BundledData:
    return read_bundled()


@pytest.fixture(scope="module")
def correlations(data):
    return derive_correlations(data)


def _found(rows, practice, target, direction=TK_TO_GENOMIC, dose="low"):
    return next(
        (
            row
            for row in rows
            if (row.practice, row.target, row.direction, row.dose) == (practice, target, direction, dose)
        ),
        None,
    )


def _with_evidence(data: BundledData, *changes: dict[str, Any]) -> BundledData:
    """The data with the Kampo practice alone, and a changed copy of EV001 (on CNR1) for each of ``changes``."""
    practice = next(row for row in data.practices if row.slug == KAMPO)
    row = replace(next(row for row in data.evidence if row.id == "EV001"), conditions=practice.indications)
    rows = tuple(replace(row, id=f"EV{900 + n}", **each) for n, each in enumerate(changes))
    targets = tuple(replace(target, disease_associations=()) for target in data.targets)
    return replace(data, practices=(practice,), evidence=rows, targets=targets, condition_links=())


def test_the_derivation_reaches_its_aim_in_both_directions(data, correlations):
    summary = summarise(data, correlations)
    assert summary.correlations >= 500
    assert summary.by_direction[TK_TO_GENOMIC] > 0
    assert summary.by_direction[GENOMIC_TO_TK] > 0
    assert summary.correlations == sum(summary.by_status.values()) == sum(summary.by_quality.values())
    assert all(summary.by_quality[quality] > 0 for quality in ("good", "moderate", "poor"))


def test_what_no_path_reaches_is_reported_and_keeps_no_correlation(data, correlations):
    summary = summarise(data, correlations)
    assert summary.unreached_targets == ("DRD2", "DRD1", "SNCA", "PRKN", "TP53", "BCL2", "HCRTR1")
    assert KAMPO in summary.unreached_practices
    assert {row.target for row in correlations}.isdisjoint(summary.unreached_targets)


def test_the_same_data_gives_the_same_rows_in_the_same_order(data, correlations):
    assert derive_correlations(data) == correlations


def test_a_row_stands_once_for_each_practice_target_direction_and_dose(correlations):
    keys = [(row.practice, row.target, row.direction, row.dose) for row in correlations]
    assert len(set(keys)) == len(keys)


def test_no_dose_adds_evidence(correlations):
    by_pair: dict[tuple[str, str, str], list[DerivedCorrelation]] = {}
    for row in correlations:
        by_pair.setdefault((row.practice, row.target, row.direction), []).append(row)
    for rows in by_pair.values():
        assert [row.dose for row in rows] == list(DOSES)
        assert len({(row.confidence, row.status, row.evidence, row.path) for row in rows}) == 1
        assert {row.dose_basis for row in rows} == {"modelled"}


def test_a_path_from_the_practice_runs_over_indication_and_evidence_to_the_target(correlations):
    row = _found(correlations, "brazil-northeast-diamba", "TRPV1")
    assert [step.kind for step in row.path] == [
        "practice",
        "indication",
        "condition_link",
        "evidence",
        "evidence",
        "target",
    ]
    assert row.path[2].label == "Toothache is a kind of Pain"
    assert row.evidence == ("EV028", "EV031")
    assert row.confidence.independent_sources == 2
    assert row.confidence.distance == 1


def test_a_path_from_the_gene_runs_over_its_disease_to_the_practice(correlations):
    row = _found(correlations, "southern-rhodesia-sepsis-dysentery-malaria", "TNF", GENOMIC_TO_TK)
    assert [step.kind for step in row.path] == [
        "target",
        "disease_association",
        "evidence",
        "condition_link",
        "indication",
        "practice",
    ]
    assert row.path[1].label == "malaria, susceptibility to"


def test_every_step_of_every_path_names_its_source_and_ends_are_the_pair(data, correlations):
    known = {row.id for row in data.evidence}
    for row in correlations:
        assert all(step.id and step.label and step.source for step in row.path)
        assert {row.path[0].id, row.path[-1].id} == {row.practice, row.target}
        assert row.evidence
        assert set(row.evidence) <= known


def test_only_verified_supporting_evidence_is_approved(data, correlations):
    evidence = {row.id: row for row in data.evidence}
    for row in correlations:
        solid = all(evidence[key].verified and evidence[key].finding == "supporting" for key in row.evidence)
        assert solid or row.status == DRAFT
    assert _found(correlations, "thailand-suk-sai-yad", "CNR1").status == APPROVED


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (({},), APPROVED),
        (({"verified": False},), DRAFT),
        (({"finding": "inconclusive"},), DRAFT),
        (({"verified": False}, {}), APPROVED),
        (({}, {"finding": "contrary"}), DRAFT),
    ],
)
def test_the_status_follows_the_evidence(data, rows, status):
    derived = derive_correlations(_with_evidence(data, *rows))
    assert {(row.practice, row.target, row.status) for row in derived} == {(KAMPO, "CNR1", status)}


def test_contrary_evidence_supports_nothing(data):
    assert derive_correlations(_with_evidence(data, {"finding": "contrary"})) == []


def test_unverified_evidence_is_not_counted_beside_verified(data):
    derived = derive_correlations(_with_evidence(data, {}, {"verified": False, "study": "another"}))
    assert derived[0].confidence.independent_sources == 1
    assert derived[0].evidence == ("EV900",)


def test_two_rows_of_one_study_are_one_source(data):
    derived = derive_correlations(_with_evidence(data, {}, {"mechanism": "a second statement"}))
    assert derived[0].evidence == ("EV900", "EV901")
    assert derived[0].confidence.independent_sources == 1


def test_the_nearest_way_between_a_practice_and_a_target_is_kept(correlations):
    # Pain stands among the indications itself, beside conditions that would be a step away.
    row = _found(correlations, "cambodia-ganja-household-medicine", "OPRM1")
    assert row.confidence.distance == 0
