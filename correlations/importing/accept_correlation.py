"""Accepts correlations: drops duplicates, keeps the strongest of rivals, writes in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from correlations.importing.catalogue import SOURCE, Catalogue, PracticeReference
from correlations.importing.errors import WITHHELD, Reason, RowProblem
from correlations.importing.rows import CorrelationRow
from correlations.importing.target_names import approved_name, printable
from correlations.models import Correlation, CorrelationEvidence, DosageProfile
from correlations.scoring import quality_of
from correlations.vocabulary import Direction, DoseBasis, Origin, ReviewStatus

BATCH = 2000
# No row of the export was reviewed by anybody: all enter as drafts, and training takes them only when asked.
STATUS = ReviewStatus.DRAFT.value

Key = tuple[int, int, str, str]


class Candidate(NamedTuple):
    """A correlation that will be written unless a stronger rival comes."""

    row: CorrelationRow
    symbol: str
    practice: PracticeReference


@dataclass
class PendingCorrelations:
    """The correlations of one import by (practice, target, direction, dose), of which the catalogue takes one each."""

    catalogue: Catalogue
    withheld: set[str]
    quarantined: set[str]

    def __post_init__(self) -> None:
        self._recorded: set[Key] = set(
            Correlation.objects.filter(practice__origin=Origin.PHASE3.value).values_list(
                "practice_id", "target_id", "direction", "dose"
            )
        )
        self._candidates: dict[Key, Candidate] = {}
        self._ranges: dict[tuple[int, str], str] = {}
        self.range_conflicts = 0

    def offer(self, row: CorrelationRow) -> str:
        """Take a row: 'draft', or why it's a duplicate ('already_recorded', 'superseded'). Raises RowProblem.

        Of rows that agree in practice, target, direction and dose, the one with the highest confidence is kept, the first
        where they are equal; the others count as superseded.
        """
        practice = self._practice(row)
        symbol = self.catalogue.symbol_of(row.target)
        target = self.catalogue.target(symbol, named_by="correlation list")
        self._note_range(practice, row)
        key = (practice.pk, target, row.direction, row.dose)
        if key in self._recorded:
            return "already_recorded"
        rival = self._candidates.get(key)
        if rival is None or row.confidence > rival.row.confidence:
            self._candidates[key] = Candidate(row, symbol, practice)
        return STATUS if rival is None else "superseded"

    def write(self) -> Iterator[int]:
        """Write all that was taken; yields the number of each batch as it is written."""
        pairs = iter(self._candidates.items())
        while batch := list(islice(pairs, BATCH)):
            self.catalogue.evidence(citation for _, taken in batch for citation in taken.row.citations.real)
            stored = Correlation.objects.bulk_create(self._correlation(key, candidate) for key, candidate in batch)
            links = [
                CorrelationEvidence(correlation=correlation, evidence_id=evidence)
                for correlation, (_, candidate) in zip(stored, batch, strict=True)
                for evidence in self.catalogue.evidence(candidate.row.citations.real)
            ]
            CorrelationEvidence.objects.bulk_create(links, batch_size=BATCH)
            yield len(stored)
        for (practice, dose), amount in self._ranges.items():
            DosageProfile.objects.filter(practice_id=practice, level=dose, amount_range="").update(amount_range=amount)

    def _practice(self, row: CorrelationRow) -> PracticeReference:
        practice = self.catalogue.practices.get(row.practice_id)
        if row.practice_id in self.withheld or (practice is not None and not practice.is_open):
            raise RowProblem(Reason.PRACTICE_WITHHELD, WITHHELD)
        if practice is not None:
            return practice
        shown = printable(row.practice_id)
        if row.practice_id in self.quarantined:
            raise RowProblem(
                Reason.PRACTICE_QUARANTINED,
                f"The practice {shown!r} is in quarantine itself: correct and replay it first, then replay this row.",
            )
        raise RowProblem(
            Reason.PRACTICE_UNKNOWN,
            f"No practice {shown!r} is in the export or the catalogue: set 'tk_practice_id' to the practice that is meant, "
            "or import that practice first, and replay; or dismiss the row.",
        )

    def _note_range(self, practice: PracticeReference, row: CorrelationRow) -> None:
        if row.dose_range:
            known = self._ranges.setdefault((practice.pk, row.dose), row.dose_range)
            self.range_conflicts += known != row.dose_range

    @staticmethod
    def _correlation(key: Key, candidate: Candidate) -> Correlation:
        row = candidate.row
        practice_pk, target_pk, direction, dose = key
        return Correlation(
            practice_id=practice_pk,
            target_id=target_pk,
            direction=direction,
            dose=dose,
            dose_basis=DoseBasis.MODELLED.value,
            mechanism=row.mechanism,
            confidence=row.confidence,
            confidence_parts=dict(row.parts),
            quality=quality_of(row.confidence),
            evidence_path=_path(candidate),
            status=STATUS,
            origin=Origin.PHASE3.value,
            external_id=row.correlation_id,
        )


def _path(candidate: Candidate) -> list[dict[str, str]]:
    """From where the correlation was found to where it leads, in the steps that the bundled data uses."""
    row, symbol, practice = candidate
    sources = "; ".join(citation.reference for citation in row.citations.real)
    ends = [
        {"kind": "practice", "id": practice.slug, "label": practice.title, "source": SOURCE},
        {
            "kind": "imported_row",
            "id": row.correlation_id,
            "label": f"Associated in the {SOURCE}; not reviewed",
            "source": sources or "no source that can be looked up",
        },
        {"kind": "target", "id": symbol, "label": f"{symbol}, {approved_name(symbol)}".rstrip(", "), "source": SOURCE},
    ]
    return ends if row.direction == Direction.TK_TO_GENOMIC.value else ends[::-1]
