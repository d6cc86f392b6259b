"""Correlations derived from the bundled data."""

from __future__ import annotations

from dataclasses import asdict

from correlations.evidence_paths import DerivedCorrelation
from correlations.loading.practices import bundled_practices
from correlations.models import Correlation, CorrelationEvidence, Evidence, GenomicTarget
from correlations.vocabulary import Origin


def load_correlations(derived: list[DerivedCorrelation], targets: dict[str, GenomicTarget]) -> int:
    """Add the derived correlations that are missing; returns how many."""
    practices = bundled_practices()
    known = set(Correlation.objects.values_list("practice", "target", "direction", "dose"))
    missing = [
        row
        for row in derived
        if row.practice in practices
        and (practices[row.practice].pk, targets[row.target].pk, row.direction, row.dose) not in known
    ]
    created = Correlation.objects.bulk_create(
        Correlation(
            practice=practices[row.practice],
            target=targets[row.target],
            direction=row.direction,
            dose=row.dose,
            dose_basis=row.dose_basis,
            mechanism=row.mechanism,
            confidence=row.confidence.value,
            confidence_parts=row.confidence.parts(),
            quality=row.quality,
            evidence_path=[asdict(step) for step in row.path],
            status=row.status,
            origin=Origin.BUNDLED.value,
        )
        for row in missing
    )
    evidence = Evidence.objects.in_bulk(field_name="key")
    CorrelationEvidence.objects.bulk_create(
        CorrelationEvidence(correlation=correlation, evidence=evidence[key])
        for correlation, row in zip(created, missing, strict=True)
        for key in row.evidence
        if key in evidence
    )
    return len(created)
