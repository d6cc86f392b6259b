"""The daily counts agree with the events at every moment: sealed, not sealed, and while a sealer works."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.db import connection

from ethics.audit import registered_event_types
from ethics.audit.daily_counts import daily_counts, daily_counts_add
from ethics.models import AuditDailyCount, AuditEvent, AuditLeaf

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def summed(**bounds: int) -> Counter:
    """All counts of March, sealed or not."""
    counts: Counter = Counter()
    rows = daily_counts(DAY.date(), (DAY + timedelta(days=30)).date(), registered_event_types(), **bounds)
    for *kind, times in rows:
        counts[tuple(kind)] += times
    return counts


def seal(events: list[AuditEvent]) -> None:
    """What a sealer does to the tables that counting reads."""
    first = AuditLeaf.objects.count()
    AuditLeaf.objects.bulk_create(
        AuditLeaf(index=first + place, event_id=event.event_id, leaf_hash=bytes(32))
        for place, event in enumerate(events)
    )
    daily_counts_add([event.event_id for event in events])


@pytest.fixture
def events(serve, refuse) -> list[AuditEvent]:
    made = []
    for day in (0, 0, 1, 5):
        with mock.patch("ethics.audit.recording.timezone.now", return_value=DAY + timedelta(days=day)):
            made += [serve("item", "north"), refuse("item"), refuse("item", reasons=["named", "near"])]
    return made


def test_sealing_changes_no_count(events) -> None:
    before = summed()
    assert sum(before.values()) == 16
    for part in (events[:5], events[5:7], events[7:]):
        seal(part)
        assert summed() == before


def test_an_event_is_counted_in_the_table_once_it_is_sealed_and_not_before(events) -> None:
    assert not AuditDailyCount.objects.exists()
    seal(events)
    assert Counter(dict(AuditDailyCount.objects.values_list("event_type", "times").filter(day=DAY.date()))) == Counter(
        {"prediction.served": 2, "prediction.refused": 2, "text.withheld": 2}
    )


def test_the_bound_of_a_head_hides_no_event(events) -> None:
    seal(events[:6])
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(xid) FROM ethics_auditevent")
        [lowest] = cursor.fetchone()
    assert summed(sealed_below=lowest) == summed()


def test_only_the_days_and_types_that_are_asked_for_are_counted(events) -> None:
    seal(events[:6])
    rows = list(daily_counts(DAY.date(), DAY.date(), ["prediction.served"]))
    assert sum(row.times for row in rows) == 2
    assert {row.event_type for row in rows} == {"prediction.served"}
