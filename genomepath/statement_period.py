"""The period of a community statement, from two dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class StatementPeriod:
    """Whole days in UTC, both of them included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("The last day lies before the first one.")

    @classmethod
    def parse(cls, first: str, last: str) -> StatementPeriod:
        """From texts such as 2026-01-31.

        Raises:
            ValueError: not a date, or the days are out of order.
        """
        return cls(date.fromisoformat(first), date.fromisoformat(last))

    @property
    def start(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time.min, UTC)

    @property
    def end(self) -> datetime:
        """The moment after the last one."""
        return datetime.combine(self.last + timedelta(days=1), time.min, UTC)
