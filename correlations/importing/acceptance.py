"""Accepts rows of the three files one by one; the same for a whole import and for one replayed row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from correlations.importing.accept_correlation import PendingCorrelations
from correlations.importing.accept_practice import accept_gene, accept_practice
from correlations.importing.catalogue import Catalogue
from correlations.importing.errors import WITHHELD, Reason, RowProblem
from correlations.importing.report import ImportReport
from correlations.importing.rows import (
    PRACTICES_FILE,
    TARGETS_FILE,
    Citations,
    content_digest,
    is_surely_plain,
    named_practice_id,
    practice_id_of,
    read_correlation,
    read_gene,
    read_practice,
)
from correlations.importing.target_names import printable
from ethics.models import GovernedItem

WITHHELD_CONTENT = json.dumps({"withheld": "the content is kept in the export alone"})
_MAYBE_SACRED = (
    "The row doesn't say that the practice is not ceremonial, so its content isn't kept here: correct it in the export's "
    "text and replay it from there."
)
# A shorter name would be found inside ordinary words.
_SHORTEST_NAME = 4


@dataclass(frozen=True)
class Outcome:
    """``group`` is 'accepted' or 'duplicates'; ``kind`` the status or the kind of duplicate."""

    group: str
    kind: str


class Acceptance:
    """The state of one import: look-ups, what is pending, what is withheld."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        self.catalogue = Catalogue()
        self.withheld: set[str] = set()
        self.quarantined_practices: set[str] = set()
        self.pending = PendingCorrelations(self.catalogue, self.withheld, self.quarantined_practices)
        self.items: list[GovernedItem] = []
        self._seen: set[bytes] = set()

    def withhold(self, value: object) -> None:
        """Note a practice row that doesn't say that it's plain: nothing about it may be kept elsewhere."""
        if practice_id := practice_id_of(value):
            self.withheld.add(practice_id)
        name = value.get("practice_name") if isinstance(value, dict) else None
        if isinstance(name, str) and len(name.strip()) >= _SHORTEST_NAME:
            self.catalogue.protected_names.add(name.strip().casefold())

    def accept(self, file_name: str, value: object, key: str = "") -> Outcome:
        """Accept a row. Correlations are written by ``pending.write()`` at the end. Raises RowProblem."""
        if file_name == TARGETS_FILE:
            return self._gene(value, key)
        if file_name == PRACTICES_FILE:
            return self._practice(value)
        return self._correlation(value)

    def keepable(self, file_name: str, value: object, raw: str, problem: RowProblem) -> tuple[str, str]:
        """The raw content and the explanation as quarantine may keep them.

        Nothing is kept of a row that concerns sacred or withheld knowledge, or mentions a protected name.
        """
        if file_name == PRACTICES_FILE and not is_surely_plain(value):
            return WITHHELD_CONTENT, f"{problem.explanation} {_MAYBE_SACRED}"
        if problem.reason == Reason.PRACTICE_WITHHELD or named_practice_id(value) in self.withheld:
            return WITHHELD_CONTENT, WITHHELD
        if self.catalogue.mentions_protected(_readable(value)):
            return WITHHELD_CONTENT, WITHHELD
        return raw, problem.explanation

    def _gene(self, value: object, key: str) -> Outcome:
        row = read_gene(value, key)
        status = accept_gene(row, self.catalogue)
        self._note_dropped(row.citations)
        return Outcome("duplicates", "unchanged") if status == "unchanged" else Outcome("accepted", status)

    def _practice(self, value: object) -> Outcome:
        row = read_practice(value)
        accepted = accept_practice(row, self.catalogue)
        if accepted.item is not None:
            self.items.append(accepted.item)
        if not row.is_ceremonial:
            self._note_dropped(row.citations)
        if accepted.lacks_basis:
            self.report.practices_without_basis.append(printable(row.practice_id))
        if accepted.lacks_attribution:
            self.report.practices_without_attribution.append(printable(row.practice_id))
        return Outcome("duplicates" if accepted.status == "unchanged" else "accepted", accepted.status)

    def _correlation(self, value: object) -> Outcome:
        digest = content_digest(value)
        if digest in self._seen:
            return Outcome("duplicates", "exact")
        self._seen.add(digest)
        row = read_correlation(value)
        result = self.pending.offer(row)
        self._note_dropped(row.citations)
        return Outcome("accepted" if result == "draft" else "duplicates", result)

    def _note_dropped(self, citations: Citations) -> None:
        self.report.placeholder_citations.update(printable(text) for text in citations.dropped)


def row_key(value: Any, key: str) -> str:
    """How a curator finds the row in the export: its key, or its id."""
    if not key and isinstance(value, dict):
        ids = (value.get(field) for field in ("correlation_id", "practice_id"))
        key = next((given for given in ids if isinstance(given, str)), "")
    return printable(key, limit=100)


def _readable(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""
