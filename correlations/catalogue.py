"""Loads the bundled data into the database.

What is there already stays as it is: loading adds what is missing and never overwrites a curator's edit, so that it is
safe to run again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction

from correlations.bundled.reader import read_bundled
from correlations.bundled.rows import BundledData
from correlations.evidence_paths import derive_correlations
from correlations.loading.biology import (
    bundled_targets,
    load_conditions,
    load_evidence,
    load_synergies,
    load_targets,
)
from correlations.loading.correlations import load_correlations
from correlations.loading.governance import load_communities, load_labels, load_placeholders
from correlations.loading.practices import load_practices
from ethics import audit
from ethics.reasons import change_reason


@dataclass(frozen=True)
class LoadReport:
    """How many rows of each kind were added; all zero when nothing was missing."""

    communities: int = 0
    practices: int = 0
    sacred_placeholders: int = 0
    targets: int = 0
    evidence: int = 0
    synergies: int = 0
    correlations: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was missing."""
        return not any(asdict(self).values())


@transaction.atomic
def bundled_load(*, data: BundledData | None = None) -> LoadReport:
    """Add what is missing of the bundled data, in one transaction with its audit event.

    Raises:
        BundledDataError: a row of the bundled files breaks its rule; nothing is written.
    """
    data = data or read_bundled()
    with change_reason("loading of what was missing of the bundled data"):
        return _load(data)


def _load(data: BundledData) -> LoadReport:
    load_labels(data)
    communities = load_communities(data)
    load_conditions(data)
    report = LoadReport(
        communities=communities,
        targets=load_targets(data),
        evidence=load_evidence(data),
        practices=load_practices(data),
        sacred_placeholders=load_placeholders(data),
        synergies=load_synergies(data),
        correlations=load_correlations(derive_correlations(data), bundled_targets(data)),
    )
    if not report.is_empty:
        audit.record(
            "catalogue.loaded",
            communities=[row.slug for row in data.communities],
            details={
                "practices": report.practices,
                "targets": report.targets,
                "correlations": report.correlations,
                "evidence": report.evidence,
                "synergies": report.synergies,
            },
        )
    return report
