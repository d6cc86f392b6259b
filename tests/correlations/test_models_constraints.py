"""The database itself refuses bad rows: whoever writes them, past every form and service."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from correlations.models import (
    Condition,
    Correlation,
    DiseaseAssociation,
    DosageProfile,
    ImportBatch,
    QuarantinedRow,
    SynergyPair,
)
from correlations.scoring import GOOD_FROM, MODERATE_FROM, quality_of
from genomepath.models import Prediction, TrainingRun
from tests.factories import (
    make_correlation,
    make_evidence,
    make_model_version,
    make_practice,
    make_synergy,
    make_target,
)

pytestmark = pytest.mark.django_db


def correlation(**fields) -> None:
    make_correlation(make_practice(), make_target(), **fields)


def correlation_twice() -> None:
    row = make_correlation(make_practice(), make_target())
    make_correlation(row.practice, row.target)


def practice_external_id_twice() -> None:
    for _ in range(2):
        make_practice(origin="phase3", external_id="TK_0001")


def indication_twice() -> None:
    practice = make_practice()
    practice.practice_indications.create(condition=Condition.objects.get(name="condition one"), position=1)


def dosage(**fields) -> None:
    practice = make_practice()
    practice.dosage_profiles.all().delete()
    DosageProfile.objects.create(**{"practice": practice, "level": "low", "basis": "modelled", **fields})


def dosage_twice() -> None:
    make_practice().dosage_profiles.create(level="low", basis="modelled")


def synergy_with_itself() -> None:
    target = make_target()
    make_synergy(target, target)


def synergy_the_other_way_round() -> None:
    pair = make_synergy(make_target(), make_target())
    SynergyPair.objects.create(
        target_a=pair.target_b, target_b=pair.target_a, interaction="again", kind="synthetic", evidence=pair.evidence
    )


def hgnc_id_twice() -> None:
    for _ in range(2):
        make_target(hgnc_id="HGNC:1")


def disease(**fields) -> None:
    DiseaseAssociation.objects.create(**{"target": make_target(), "name": "synthetic", "source": "synthetic", **fields})


def quarantined(**fields) -> None:
    batch = ImportBatch.objects.create(kind="phase3", source_sha256="0" * 64, started_by="curator")
    QuarantinedRow.objects.create(
        **{
            "batch": batch,
            "file_name": "f.json",
            "row_number": 1,
            "reason": "r",
            "explanation": "e",
            "raw": "{}",
            **fields,
        }
    )


def import_batch_twice() -> None:
    for _ in range(2):
        ImportBatch.objects.create(kind="phase3", source_sha256="0" * 64, started_by="curator")


def prediction(**fields) -> None:
    row = {"direction": "tk_to_genomic", "dose": "low", "rank": 1, "score": 0.0, "confidence": 0.5, **fields}
    Prediction.objects.create(model_version=make_model_version(), practice=make_practice(), target=make_target(), **row)


def run(**fields) -> None:
    TrainingRun.objects.create(**{"requested_by": "engineer", **fields})


def two_active_models() -> None:
    for _ in range(2):
        make_model_version(state="active")


BAD_ROWS: list[tuple[str, Callable[[], object]]] = [
    *(
        (
            "correlation_confidence_in_range",
            lambda value=value, quality=quality: correlation(confidence=value, quality=quality),
        )
        for value, quality in ((0.0, "poor"), (-0.1, "poor"), (1.1, "good"), (math.nan, "good"), (math.inf, "good"))
    ),
    *(
        (
            "correlation_quality_fits_confidence",
            lambda value=value, quality=quality: correlation(confidence=value, quality=quality),
        )
        for value, quality in ((0.75, "moderate"), (0.7499, "good"), (0.5, "poor"), (0.4999, "moderate"), (0.9, "poor"))
    ),
    ("correlation_quality_(is_known|fits_confidence)", lambda: correlation(quality="superb")),
    ("correlation_dose_is_known", lambda: correlation(dose="huge")),
    ("correlation_direction_is_known", lambda: correlation(direction="sideways")),
    ("correlation_status_is_known", lambda: correlation(status="waved on")),
    ("correlation_once_a_direction_and_dose", correlation_twice),
    ("practice_has_title", lambda: make_practice(title="")),
    ("practice_has_tradition", lambda: make_practice(tradition="")),
    ("practice_external_id_once", practice_external_id_twice),
    ("practice_indication_once", indication_twice),
    ("dosage_level_is_known", lambda: dosage(level="huge")),
    ("dosage_sourced_names_range", lambda: dosage(basis="sourced")),
    ("dosage_sourced_names_range", lambda: dosage(basis="guessed", amount_range="1 g")),
    ("dosage_profile_once_a_level", dosage_twice),
    *(
        ("target_hgnc_form", lambda value=value: make_target(hgnc_id=value))
        for value in ("1", "HGNC:", "HGNC:x", "hgnc:1")
    ),
    ("target_hgnc_id_once", hgnc_id_twice),
    *(
        ("target_ensembl_form", lambda value=value: make_target(ensembl_gene_id=value))
        for value in ("ENSG1", "ENST00000000001", "ENSG000000000012", "ensg00000000001")
    ),
    ("target_entrez_form", lambda: make_target(entrez_id="12a")),
    *(("target_symbol_form", lambda value=value: make_target(value)) for value in ("abc", "A B", "-A", "A;DROP")),
    ("target_has_source", lambda: make_target(source="")),
    ("disease_association_has_source", lambda: disease(source="")),
    *(
        ("condition_mondo_id_form", lambda value=value: Condition.objects.create(name="synthetic", mondo_id=value))
        for value in ("0000001", "MONDO:1", "MONDO:00000001", "mondo:0000001")
    ),
    *(
        ("condition_mesh_id_form", lambda value=value: Condition.objects.create(name="synthetic", mesh_id=value))
        for value in ("D1", "X000001", "D0000000001")
    ),
    ("condition_has_name", lambda: Condition.objects.create(name="")),
    ("evidence_has_reference", lambda: make_evidence(reference="")),
    ("evidence_pmid_form", lambda: make_evidence(pmid="PMID1")),
    ("evidence_doi_form", lambda: make_evidence(doi="doi:10.1")),
    ("evidence_level_is_known", lambda: make_evidence(level="rumour")),
    ("synergy_pair_of_two", synergy_with_itself),
    ("synergy_pair_once", synergy_the_other_way_round),
    ("import_batch_once", import_batch_twice),
    ("quarantined_row_state_is_known", lambda: quarantined(state="lost")),
    ("quarantined_row_has_explanation", lambda: quarantined(explanation="")),
    ("model_one_active", two_active_models),
    ("model_state_is_known", lambda: make_model_version(state="beloved")),
    ("model_sha256_form", lambda: make_model_version(sha256="ABC")),
    *(
        ("prediction_confidence_in_range", lambda value=value: prediction(confidence=value))
        for value in (-0.1, 1.1, math.nan)
    ),
    *(
        ("prediction_dose_fits_direction", lambda fields=fields: prediction(**fields))
        for fields in ({"dose": ""}, {"dose": "huge"}, {"direction": "genomic_to_tk"}, {"direction": "sideways"})
    ),
    ("run_state_is_known", lambda: run(state="dreaming")),
    ("run_kind_is_known", lambda: run(kind="guessing")),
    ("run_progress_within_total", lambda: run(progress_done=3, progress_total=2)),
    ("run_failed_says_why", lambda: run(state="failed")),
]


@pytest.mark.parametrize(("constraint", "write"), BAD_ROWS, ids=[f"{n}-{row[0]}" for n, row in enumerate(BAD_ROWS)])
def test_the_database_refuses(constraint, write):
    with pytest.raises(IntegrityError, match=rf'"{constraint}"'), transaction.atomic():
        write()


@pytest.mark.parametrize("confidence", [0.0001, MODERATE_FROM - 1e-9, MODERATE_FROM, GOOD_FROM - 1e-9, GOOD_FROM, 1.0])
def test_the_quality_that_scoring_gives_is_accepted(confidence):
    row = make_correlation(make_practice(), make_target(), confidence=confidence, quality=quality_of(confidence))

    row.refresh_from_db()
    assert row.confidence == confidence


def test_a_bulk_update_cannot_part_quality_from_confidence():
    make_correlation(make_practice(), make_target())

    with pytest.raises(IntegrityError, match="correlation_quality_fits_confidence"), transaction.atomic():
        Correlation.objects.update(confidence=0.9)


def test_a_target_with_correlations_cannot_be_deleted_by_accident():
    row = make_correlation(make_practice(), make_target())

    with pytest.raises(IntegrityError, match="protected"):
        row.target.delete()
