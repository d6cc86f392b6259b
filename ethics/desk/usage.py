"""How often which community was served, and why answers were withheld, by day: exact, from counts and what is unsealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from ethics.audit import registered_event_types
from ethics.audit.daily_counts import CountRow, daily_counts

NO_COMMUNITY = "no community"
PERIODS = {"30": "30 days", "90": "90 days", "365": "a year"}
_SERIES = 5
_WEEK = 7
_MOST_BARS = 31


@dataclass(frozen=True)
class Served:
    """Answers for each community in each interval. An answer with knowledge of two communities counts for both.

    ``communities`` are slugs, the last one perhaps the rest together; ``labels`` are their names, in the same order.
    """

    intervals: list[tuple[date, date]]
    communities: list[str]
    labels: list[str]
    counts: Mapping[tuple[date, str], int]

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
    step = _step((last - first).days + 1)
    rows = daily_counts(first, last, serving | refusing, step=step, sealed_below=sealed_below)
    refusals: Counter[str] = Counter()
    for row in rows:
        if row.event_type in refusing:
            refusals[row.reason] += row.times
    served = _served([row for row in rows if row.event_type in serving], _intervals(first, last, step))
    return Usage(first, last, served, sorted(refusals.items(), key=lambda entry: (-entry[1], entry[0])))


def _served(rows: Sequence[CountRow], intervals: list[tuple[date, date]]) -> Served:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.community or NO_COMMUNITY] += row.times
    named = [name for name, _ in sorted(totals.items(), key=lambda entry: (-entry[1], entry[0]))]
    others = frozenset(named[_SERIES:])
    communities = [*named[:_SERIES], *([f"{len(others)} others"] if others else [])]
    counts: Counter[tuple[date, str]] = Counter()
    for row in rows:
        name = row.community or NO_COMMUNITY
        counts[row.since, communities[-1] if name in others else name] += row.times
    names = {row.community: row.community_name for row in rows if row.community_name}
    return Served(intervals, communities, _labels(communities, names), counts)


def _labels(communities: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Names, with the slug behind those that two communities share; whatever is no community stays as it is."""
    often = Counter(names.values())
    return [
        f"{names[slug]} ({slug})" if slug in names and often[names[slug]] > 1 else names.get(slug, slug)
        for slug in communities
    ]


def _step(days: int) -> int:
    """The days of a column: one; a week, or a multiple of it, where days would be too many columns."""
    if days <= _MOST_BARS:
        return 1
    return next(step for step in count(_WEEK, _WEEK) if days <= step * 2 * _MOST_BARS)


def _intervals(first: date, last: date, step: int) -> list[tuple[date, date]]:
    starts = [first + timedelta(days=offset) for offset in range(0, (last - first).days + 1, step)]
    return [(start, min(start + timedelta(days=step - 1), last)) for start in starts]
