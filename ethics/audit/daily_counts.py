"""Counts of the events of a day, kept by the sealer in its own transaction, with what is not sealed yet counted live.

The sum is exact: an event is counted in the table from the moment that it has a leaf, and live until then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from ethics.audit.registry import registered_event_types

NOT_PERMITTED, NO_SUCH_PRACTICE, NOTHING_TO_SHOW = "not permitted", "no such practice", "nothing to show"
"""Reasons of a refusal whose event gives none: by policy, an unknown name, or no practice that might be listed."""
ABSENT = "00000000-0000-0000-0000-000000000000"
"""The subject of a question about a practice that there is not."""

# One row for each pair of a community and a reason. Only refusals have reasons: those that the event gives, or
# what its subjects tell.
_COUNTED = """
SELECT (event.occurred_at AT TIME ZONE 'UTC')::date AS day, coalesce(community, '') AS community, event.event_type,
       CASE WHEN event.event_type = ANY(%(refusing)s) THEN left(coalesce(given, CASE
                WHEN cardinality(event.subject_ids) = 0 THEN %(nothing)s
                WHEN event.subject_ids = ARRAY[%(absent)s]::varchar[] THEN %(no_such)s ELSE %(refused)s END), 120)
            ELSE '' END AS reason,
       count(*) AS times
FROM ethics_auditevent event
LEFT JOIN LATERAL unnest(event.community_ids) AS community ON true
LEFT JOIN LATERAL jsonb_array_elements_text(
    CASE WHEN event.event_type = ANY(%(refusing)s) AND jsonb_typeof(event.details -> 'reasons') = 'array'
         THEN event.details -> 'reasons' END) AS given ON true
WHERE {condition}
GROUP BY 1, 2, 3, 4
"""
_ADD = f"""
INSERT INTO ethics_auditdailycount (day, community, event_type, reason, times)
{_COUNTED.format(condition="event.event_id = ANY(%(event_ids)s)")}
ORDER BY 1, 2, 3, 4
ON CONFLICT (day, event_type, community, reason)
DO UPDATE SET times = ethics_auditdailycount.times + excluded.times
"""

UNSEALED = """event.xid >= %(sealed_below)s
AND NOT EXISTS (SELECT FROM ethics_auditleaf leaf WHERE leaf.event_id = event.event_id)"""
"""The condition, in SQL, that an event has no leaf yet. ``sealed_below`` is that of a head, old or new, or 0."""
_LIVE = _COUNTED.format(
    condition=f"{UNSEALED} AND event.event_type = ANY(%(types)s) "
    "AND event.occurred_at >= %(start)s AND event.occurred_at < %(end)s"
)
_STORED = """
SELECT day, community, event_type, reason, times FROM ethics_auditdailycount
WHERE event_type = ANY(%(types)s) AND day BETWEEN %(first)s AND %(last)s
"""
_COUNTS = f"""
SELECT since, community, coalesce((SELECT name FROM ethics_community WHERE slug = community), ''), event_type, reason,
       times
FROM (
    SELECT %(first)s::date + (day - %(first)s::date) / %(step)s * %(step)s AS since,
           community, event_type, reason, sum(times)::bigint AS times
    FROM ({_STORED} UNION ALL ({_LIVE})) counted
    GROUP BY 1, 2, 3, 4
) summed
"""  # noqa: S608  no value is put in


class CountRow(NamedTuple):
    """So many events of a type from a UTC day on, for one community and reason; empty where there is none.

    ``community`` is a slug as the events have it, ``community_name`` what that community is called now.
    """

    since: date
    community: str
    community_name: str
    event_type: str
    reason: str
    times: int


def daily_counts_add(event_ids: Sequence[UUID]) -> None:
    """Count events that have just got their leaves, in the transaction that gives them these."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {**_words(), "event_ids": list(event_ids)})


def daily_counts(
    first: date, last: date, event_types: Collection[str], *, step: int = 1, sealed_below: int = 0
) -> list[CountRow]:
    """The counts of some types from ``first`` to ``last``, both included, sealed or not; one statement, one snapshot.

    Args:
        step: days that are counted together, from ``first`` on.
        sealed_below: that of any signed head; spares to look at what was sealed before that head.
    """
    start = datetime.combine(first, time.min, UTC)
    values = {
        **_words(),
        "types": sorted(event_types),
        "first": first,
        "last": last,
        "start": start,
        "sealed_below": sealed_below,
        "step": step,
        "end": start + (last - first) + timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, values)
        return [CountRow(*row) for row in cursor.fetchall()]


def _words() -> dict[str, Any]:
    refusing = sorted(name for name, kind in registered_event_types().items() if kind.refuses)
    return {
        "refusing": refusing,
        "absent": ABSENT,
        "no_such": NO_SUCH_PRACTICE,
        "refused": NOT_PERMITTED,
        "nothing": NOTHING_TO_SHOW,
    }
