"""What a verification finds: problems, each with the place of the first record that it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_SHOWN = 20


@dataclass(frozen=True)
class Problem:
    """Something wrong with the log.

    ``index`` is the leaf of the first record that can't be relied on, ``event_id`` its event where that is known. Where the
    tree alone can't say which record of a range it is, ``last_index`` ends the range.
    """

    what: str
    index: int | None = None
    event_id: str = ""
    last_index: int | None = None

    def __str__(self) -> str:
        place = "" if self.index is None else f"record {self.index}"
        if self.last_index is not None and self.last_index != self.index:
            place = f"records {self.index} to {self.last_index}"
        event = f"event {self.event_id}" if self.event_id else ""
        return ": ".join(part for part in (", ".join(part for part in (place, event) if part), self.what) if part)


@dataclass
class Findings:
    """The problems found so far; beyond ``MOST_SHOWN`` they are only counted."""

    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, what: str, *, index: int | None = None, event_id: str = "", last_index: int | None = None) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.problems) < MOST_SHOWN:
            self.problems.append(Problem(what, index, event_id, last_index))

    def within(self, first: int, last: int) -> list[Problem]:
        """The problems noted whose place lies between these records, both included."""
        return [
            problem
            for problem in self.problems
            if problem.index is not None
            and first <= problem.index
            and (problem.index if problem.last_index is None else problem.last_index) <= last
        ]

    def in_order(self) -> list[Problem]:
        """By place in the log; what has no place comes last."""
        return sorted(self.problems, key=lambda problem: (problem.index is None, problem.index or 0))
