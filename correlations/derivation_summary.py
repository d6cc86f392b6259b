"""What the derivation made of the bundled data, in counts, with what no path reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from correlations.bundled.rows import BundledData
from correlations.evidence_paths import DerivedCorrelation


@dataclass(frozen=True)
class DerivationSummary:
    """Counts of rows; ``pairs`` counts (practice, target) pairs over both directions and all doses."""

    practices: int
    traditions: int
    communities: int
    sacred_placeholders: int
    targets: int
    evidence: int
    synergy_pairs: int
    dosage_profiles: int
    correlations: int
    pairs: int
    by_direction: dict[str, int]
    pairs_by_direction: dict[str, int]
    by_status: dict[str, int]
    by_quality: dict[str, int]
    unreached_targets: tuple[str, ...]
    unreached_practices: tuple[str, ...]


def summarise(data: BundledData, correlations: Sequence[DerivedCorrelation]) -> DerivationSummary:
    """The counts of the data and of the correlations derived from it."""
    pairs = {(row.direction, row.practice, row.target) for row in correlations}
    reached_targets = {row.target for row in correlations}
    reached_practices = {row.practice for row in correlations}
    return DerivationSummary(
        practices=len(data.practices),
        traditions=len({row.tradition for row in data.practices}),
        communities=len(data.communities),
        sacred_placeholders=len(data.sacred_placeholders),
        targets=len(data.targets),
        evidence=len(data.evidence),
        synergy_pairs=len(data.synergy_pairs),
        dosage_profiles=len(data.dosage_profiles),
        correlations=len(correlations),
        pairs=len({(practice, target) for _, practice, target in pairs}),
        by_direction=_counts(row.direction for row in correlations),
        pairs_by_direction=_counts(direction for direction, _, _ in pairs),
        by_status=_counts(row.status for row in correlations),
        by_quality=_counts(row.quality for row in correlations),
        unreached_targets=tuple(row.symbol for row in data.targets if row.symbol not in reached_targets),
        unreached_practices=tuple(row.slug for row in data.practices if row.slug not in reached_practices),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
