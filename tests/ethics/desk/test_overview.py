"""The first page: state of the log, open alerts, charts that agree with the events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from ethics.audit.daily_counts import NO_SUCH_PRACTICE, NOT_PERMITTED, NOTHING_TO_SHOW
from ethics.desk.charts import nice_ceiling, refusal_bars, served_columns, short_number
from ethics.desk.usage import Served, usage
from ethics.models import AuditVerification
from tests.factories import make_community, make_model_version

NOBODY = "00000000-0000-0000-0000-000000000000"


def at(moment: datetime):
    """Events recorded inside happen at the moment."""
    return mock.patch("ethics.audit.recording.timezone.now", return_value=moment)


def test_an_empty_desk_says_so(officer: Client) -> None:
    text = officer.get("/compliance/").content.decode()
    for expected in (
        "Nothing calls for an officer",
        "No answer was served",
        "No request was refused",
        "nothing is sealed",
    ):
        assert expected in text


def test_events_without_a_leaf_are_the_lag(officer: Client, serve) -> None:
    with at(timezone.now() - timedelta(minutes=10)):
        serve("item", "north")
    text = officer.get("/compliance/").content.decode()
    assert "1 event not sealed yet" in text
    assert "sealing is late" in text


def test_a_failed_verification_is_the_first_thing_told(officer: Client) -> None:
    now = timezone.now()
    AuditVerification.objects.create(
        tree_size=7, started_at=now, finished_at=now, events=7, ok=False, problem="leaf 3 differs"
    )
    text = officer.get("/compliance/").content.decode()
    assert "the last verification failed" in text
    assert "leaf 3 differs" in text


def test_the_newest_alerts_are_listed_and_the_others_counted(officer: Client) -> None:
    for number in range(8):
        make_model_version(state="quarantined", marked_at=timezone.now() - timedelta(hours=number))
    context = officer.get("/compliance/").context
    assert (len(context["alerts"]), context["alert_count"]) == (6, 8)


def test_an_unknown_period_is_refused_in_words(officer: Client) -> None:
    answer = officer.get("/compliance/?days=12")
    assert answer.status_code == 400
    assert "The charts can show" in answer.content.decode()


def test_each_chart_has_a_table_with_its_figures(officer: Client, serve, refuse) -> None:
    serve("item", "north")
    refuse("item")
    text = officer.get("/compliance/").content.decode()
    assert text.count('role="img"') == 2
    assert text.count("The figures as a table") == 2


@pytest.mark.django_db
def test_served_answers_are_counted_by_day_and_community(serve) -> None:
    for day, community in ((1, "north"), (1, "north"), (1, "south"), (3, "south"), (9, "south")):
        with at(datetime(2026, 3, day, 23, 59, 59, tzinfo=UTC)):
            serve("item", community)
    found = usage(date(2026, 3, 1), date(2026, 3, 3)).served
    assert found.communities == ["north", "south"]
    assert [found.row(start) for start, _ in found.intervals] == [[2, 1], [0, 0], [0, 1]]


@pytest.mark.django_db
def test_a_chart_names_communities_and_tells_two_of_one_name_apart(serve) -> None:
    for slug, name in (("north", "People of the North"), ("east", "People"), ("west", "People")):
        make_community(slug=slug, name=name)
        serve("item", slug)
    serve("item", "gone")
    today = timezone.now().date()
    assert usage(today, today).served.labels == ["People (east)", "gone", "People of the North", "People (west)"]


@pytest.mark.django_db
def test_refusals_are_counted_by_each_reason(refuse) -> None:
    refuse("item")
    refuse("item")
    refuse(NOBODY)
    refuse()
    refuse("item", reasons=["named", "near"])
    today = timezone.now().date()
    assert dict(usage(today, today).refusals) == {
        NOT_PERMITTED: 2, NO_SUCH_PRACTICE: 1, NOTHING_TO_SHOW: 1, "named": 1, "near": 1,
    }  # fmt: skip


@pytest.mark.django_db
def test_communities_beyond_the_fifth_are_summed_as_others(serve) -> None:
    for number in range(7):
        for _ in range(7 - number):
            serve("item", f"community-{number}")
    today = timezone.now().date()
    found = usage(today, today).served
    assert found.communities[-1] == "2 others"
    assert found.row(today) == [7, 6, 5, 4, 3, 3]


@pytest.mark.parametrize(("days", "bars"), [(1, 1), (31, 31), (90, 13), (365, 53)])
@pytest.mark.django_db
def test_a_long_period_is_shown_in_weeks(days: int, bars: int) -> None:
    last = date(2026, 12, 31)
    intervals = usage(last - timedelta(days=days - 1), last).served.intervals
    assert len(intervals) == bars
    assert intervals[-1][1] == last
    assert all(end + timedelta(days=1) == start for (_, end), (start, _) in pairwise(intervals))


@given(st.integers(0, 10**9))
def test_an_axis_ends_above_its_highest_value_and_no_more_than_twice_as_high(value: int) -> None:
    assert value <= nice_ceiling(value) <= max(2 * value, 2)
    assert nice_ceiling(value) % 2 == 0


def test_the_parts_of_a_column_stand_on_each_other() -> None:
    day = date(2026, 1, 1)
    columns = served_columns(Served([(day, day)], ["a", "b"], ["A", "B"], {(day, "a"): 3, (day, "b"): 1}))
    lower, upper = columns.parts
    assert lower.y == pytest.approx(upper.y + upper.height, abs=0.02)
    assert lower.height == pytest.approx(3 * upper.height, abs=0.05)
    assert lower.title == "1 Jan 2026, A: 3"


def test_the_longest_bar_fills_the_chart() -> None:
    bars = refusal_bars([("often", 10), ("seldom", 5)]).bars
    assert bars[0].width == 2 * bars[1].width == refusal_bars([]).width


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (1200, "1.2k"), (2_000_000, "2M")])
def test_an_axis_is_labelled_shortly(value: int, text: str) -> None:
    assert short_number(value) == text
