"""The filters of the log: what each one lets through, what is refused, and that a link brings the same events back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethics import audit
from ethics.audit import AuditContext
from ethics.audit.filters import AuditFilters, FilterError
from ethics.models import AuditEvent
from ethics.policy import Purpose

NAMES = st.text("abcxyz-019.", max_size=12)
MOMENTS = st.none() | st.datetimes(
    datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)
) | st.dates(datetime(2000, 1, 2).date()).map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))  # fmt: skip


@pytest.fixture
def events(db) -> dict[str, AuditEvent]:
    served: dict[str, Any] = {
        "communities": ["one"],
        "subjects": ["item-1"],
        "purpose": Purpose.PREDICTION,
        "model_sha256": "0" * 64,
        "details": {"direction": "tk_to_genomic", "count": 2},
    }
    ann = AuditContext("ann", "curator", request_id="request-1")
    client = AuditContext("a client", "client", client_id="client-1")
    return {
        "served": audit.record("prediction.served", context=client, **served),
        "changed": audit.record(
            "item.status_changed",
            subjects=["item-2"],
            communities=["one", "two"],
            details={"from": "none", "to": "sacred"},
            context=ann,
        ),
        "withdrawn": audit.record(
            "consent.withdrawn", subjects=["consent-1"], communities=["two"], reason="asked", context=ann
        ),
        "withheld": audit.record(
            "text.withheld",
            subjects=["item-2"],
            purpose=Purpose.PREDICTION,
            model_sha256="0" * 64,
            details={"reasons": ["named", "near"]},
            context=client,
        ),
    }


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, {"served", "changed", "withdrawn", "withheld"}),
        ({"community": "two"}, {"changed", "withdrawn"}),
        ({"client": "client-1"}, {"served", "withheld"}),
        ({"actor": "ann"}, {"changed", "withdrawn"}),
        ({"subject": "item-2"}, {"changed", "withheld"}),
        ({"event_type": "consent.withdrawn"}, {"withdrawn"}),
        ({"event_type": "item.*"}, {"changed"}),
        ({"refusal": "near"}, {"withheld"}),
        ({"request_id": "request-1"}, {"changed", "withdrawn"}),
        ({"community": "two", "event_type": "item.*"}, {"changed"}),
        ({"community": "tw"}, set()),
        ({"event_type": "item"}, set()),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_filter_lets_exactly_these_events_through(events, filters: dict, expected: set) -> None:
    found = AuditFilters.parse(filters).apply(AuditEvent.objects.all())
    assert {event.pk for event in found} == {events[name].pk for name in expected}


def test_period_takes_in_its_beginning_and_not_its_end(events) -> None:
    moment = events["changed"].occurred_at
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    beginning = AuditFilters(since=moment).apply(AuditEvent.objects.all())
    end = AuditFilters(until=moment).apply(AuditEvent.objects.all())
    assert {event.pk for event in beginning} == {events[name].pk for name in ("changed", "withdrawn", "withheld")}
    assert {event.pk for event in end} == {events["served"].pk}


def test_dates_take_in_both_days() -> None:
    filters = AuditFilters.parse({"since": "2026-01-01", "until": "2026-01-31"})
    assert filters.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert filters.until == datetime(2026, 2, 1, tzinfo=UTC)


def test_time_of_another_zone_becomes_utc() -> None:
    assert AuditFilters.parse({"since": "2026-01-01T02:00+02:00"}).since == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"until": "9999-12-31"}, "until"),
        ({"since": "2026-02-01", "until": "2026-01-31"}, "until"),
        ({"since": "0001-01-01T00:00+14:00"}, "since"),
        ({"community": "a\x00b"}, "community"),
        ({"actor": "a" * 201}, "actor"),
        ({"event_type": "Consent; DROP"}, "event_type"),
        ({"event_type": "*"}, "event_type"),
    ],
    ids=str,
)
def test_filter_that_can_not_be_understood_is_refused_by_name(texts: dict, field: str) -> None:
    with pytest.raises(FilterError) as refused:
        AuditFilters.parse(texts)
    assert refused.value.field == field
    assert str(refused.value)


@given(st.builds(AuditFilters, community=NAMES, actor=NAMES, subject=NAMES, client=NAMES, since=MOMENTS))
def test_link_brings_the_same_filters_back(filters: AuditFilters) -> None:
    assert AuditFilters.parse(filters.as_query()) == filters


@given(MOMENTS.filter(bool))
def test_link_brings_the_same_period_back(until: datetime) -> None:
    filters = AuditFilters(since=until - timedelta(microseconds=1), until=until)
    assert AuditFilters.parse(filters.as_query()) == filters


def test_filters_are_true_when_one_is_set() -> None:
    assert not AuditFilters.parse({"community": " ", "page": "2"})
    assert AuditFilters.parse({"community": "one"})
