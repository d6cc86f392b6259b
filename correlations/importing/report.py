"""What an import did, counted so that every row read is accounted for."""

from __future__ import annotations

from collections import Counter
from typing import Any

# Lists in a report are cut here; the counts beside them are whole.
LISTED = 100


class FileCounts:
    """The rows of one file: accepted by status, duplicates by kind, quarantined by reason."""

    def __init__(self) -> None:
        self.rows = 0
        self.accepted: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.quarantined: Counter[str] = Counter()

    @property
    def is_balanced(self) -> bool:
        """Whether accepted, duplicate and quarantined rows add up to the rows read."""
        return self.rows == self.accepted.total() + self.duplicates.total() + self.quarantined.total()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": self.rows,
            "accepted": self.accepted.total(),
            "duplicates": self.duplicates.total(),
            "quarantined": self.quarantined.total(),
            "accepted_by_status": dict(sorted(self.accepted.items())),
            "duplicates_by_kind": dict(sorted(self.duplicates.items())),
            "quarantined_by_reason": dict(sorted(self.quarantined.items())),
            "balanced": self.is_balanced,
        }


class ImportReport:
    """Counts by file, and what was dropped or is not usable yet."""

    def __init__(self, file_names: tuple[str, ...]) -> None:
        self.files = {name: FileCounts() for name in file_names}
        self.placeholder_citations: Counter[str] = Counter()
        self.practices_without_basis: list[str] = []
        self.practices_without_attribution: list[str] = []
        self.dosage_range_conflicts = 0

    def as_dict(self, *, source_sha256: str, outcome: str) -> dict[str, Any]:
        """For JSON. ``outcome`` is 'imported', 'dry_run' or 'unchanged'."""
        return {
            "kind": "phase3",
            "outcome": outcome,
            "source_sha256": source_sha256,
            "balanced": all(counts.is_balanced for counts in self.files.values()),
            "files": {name: counts.as_dict() for name, counts in self.files.items()},
            "placeholder_citations": {
                "dropped": self.placeholder_citations.total(),
                "texts": dict(sorted(self.placeholder_citations.most_common(LISTED))),
            },
            "practices_without_basis": {
                "count": len(self.practices_without_basis),
                "practice_ids": self.practices_without_basis[:LISTED],
                "meaning": "No source that can be looked up, or not published: stored, but used for nothing until a source "
                "or a consent is recorded.",
            },
            "practices_without_attribution": {
                "count": len(self.practices_without_attribution),
                "practice_ids": self.practices_without_attribution[:LISTED],
            },
            "dosage_range_conflicts": self.dosage_range_conflicts,
        }
