"""Why an import is refused as a whole, and why a single row is set aside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a row is in quarantine. The explanation beside it says what a curator can do."""

    FIELD_MISSING = "field_missing"
    FIELD_TYPE = "field_type"
    FIELD_VALUE = "field_value"
    TEXT_UNSTORABLE = "text_unstorable"
    TEXT_TOO_LONG = "text_too_long"
    CONFIDENCE_OUT_OF_RANGE = "confidence_out_of_range"
    TARGET_FAMILY = "target_family"
    TARGET_SEVERAL_GENES = "target_several_genes"
    TARGET_PROCESS = "target_process"
    TARGET_AMBIGUOUS = "target_ambiguous"
    TARGET_UNKNOWN = "target_unknown"
    PRACTICE_UNNAMED = "practice_unnamed"
    PRACTICE_UNKNOWN = "practice_unknown"
    PRACTICE_QUARANTINED = "practice_quarantined"
    PRACTICE_WITHHELD = "practice_withheld"


WITHHELD = (
    "The row concerns knowledge that is sacred or withheld, so its content isn't kept here. Nothing needs to be done; "
    "if this is wrong, the community's steward decides, and the row can be replayed from the export."
)


class ImportRefused(ValueError):
    """The source can't be imported at all; nothing was written.

    The message names the file and, where they are known, the row (from 1) and the field. It never repeats content of a
    row: that may be knowledge that nobody has cleared yet.
    """

    def __init__(self, problem: str, *, file_name: str, row: int | None = None, field: str = "") -> None:
        self.problem = problem
        self.file_name = file_name
        self.row = row
        self.field = field
        place = [file_name]
        place += [f"row {row}"] if row is not None else []
        place += [f"field {field!r}"] if field else []
        super().__init__(f"{', '.join(place)}: {problem}")


@dataclass
class RowProblem(Exception):
    """One row can't be accepted. It goes to quarantine with this reason and explanation."""

    reason: Reason
    explanation: str

    def __str__(self) -> str:
        return self.explanation
