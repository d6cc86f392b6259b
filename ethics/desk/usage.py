"""How often which community was served, and why answers were withheld, by day: exact, from counts and what is unsealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ethics.audit import registered_event_types
from ethics.audit.daily_counts import CountRow, daily_counts

NO_COMMUNITY = "no community"
PERIODS = {"30": "30 days", "90": "90 days", "365": "a year"}
_SERIES = 5
_WEEK = 7
_MOST_BARS = 31


@dataclass(frozen=True)
class Served:
    """Answers for each community in each interval. An answer with knowledge of two communities counts for both."""

    intervals: list[tuple[date, date]]
    communities: list[str]
    counts: Mapping[tuple[date, str], int]
    others: frozenset[str] = frozenset()

    def row(self, start: date) -> list[int]:
        """The counts of an interval, in the order of the communities."""
        return [self.counts.get((start, name), 0) for name in self.communities]


@dataclass(frozen=True)
class Usage:
    """What the charts of the overview show."""

    first: date
    last: date
    served: Served
    refusals: list[tuple[str, int]]


def usage(first: date, last: date, *, sealed_below: int = 0) -> Usage:
    """Both charts' figures, from ``first`` to ``last``, both included; one query."""
    kinds = registered_event_types()
    serving = {name for name, kind in kinds.items() if kind.serves}
    refusing = {name for name, kind in kinds.items() if kind.refuses}
    rows = list(daily_counts(first, last, serving | refusing, sealed_below=sealed_below))
    refusals: Counter[str] = Counter()
    for row in rows:
        if row.event_type in refusing:
            refusals[row.reason] += row.times
    served = _served([row for row in rows if row.event_type in serving], first, last)
    return Usage(first, last, served, sorted(refusals.items(), key=lambda entry: (-entry[1], entry[0])))


def _served(rows: Iterable[CountRow], first: date, last: date) -> Served:
    rows = list(rows)
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.community or NO_COMMUNITY] += row.times
    named = [name for name, _ in sorted(totals.items(), key=lambda entry: (-entry[1], entry[0]))]
    others = frozenset(named[_SERIES:])
    communities = [*named[:_SERIES], *([f"{len(others)} others"] if others else [])]
    intervals = _intervals(first, last)
    counts: Counter[tuple[date, str]] = Counter()
    step = (intervals[0][1] - intervals[0][0]).days + 1
    for row in rows:
        name = row.community or NO_COMMUNITY
        start = first + timedelta(days=(row.day - first).days // step * step)
        counts[start, communities[-1] if name in others else name] += row.times
    return Served(intervals, communities, counts, others)


def _intervals(first: date, last: date) -> list[tuple[date, date]]:
    """Days; weeks, or multiples of them, where days would be too many bars."""
    days = (last - first).days + 1
    step = 1 if days <= _MOST_BARS else _WEEK
    while days > step * 2 * _MOST_BARS:
        step += _WEEK
    starts = [first + timedelta(days=offset) for offset in range(0, days, step)]
    return [(start, min(start + timedelta(days=step - 1), last)) for start in starts]
