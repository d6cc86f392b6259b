"""Alerts: what calls for an officer, and what officers may do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ethics.desk.alerts import Alert, find_alert, open_alerts
from ethics.models import AlertNote, AuditEvent, AuditVerification
from ethics.withdrawals import withdrawal_alert
from tests.admin_people import make_consent, make_sacred, make_withdrawal_case
from tests.factories import make_item, make_model_version

pytestmark = pytest.mark.django_db


def alerts(kind: str = "") -> list[Alert]:
    return open_alerts(timezone.now(), kind).alerts


def handle(client: Client, alert: Alert, act: str, text: str = "looked into it"):
    form = {"text": text, "act": act, "seen_until": alert.latest_at.isoformat()}
    return client.post(reverse("desk:alert", args=[alert.key]), form)


def test_requests_for_a_sacred_item_are_one_alert_with_their_number(refuse) -> None:
    item, other = make_sacred("a protected name"), make_item()
    refuse(item.public_id)
    refuse(item.public_id, reasons=["named"])
    refuse(other.public_id)
    [alert] = alerts("sacred")
    assert (alert.times, alert.subjects, alert.communities) == (2, [str(item.public_id)], [item.community.slug])


def test_a_failed_verification_is_an_alert_and_a_good_one_is_none() -> None:
    now = timezone.now()
    common = {"tree_size": 5, "started_at": now, "finished_at": now, "events": 5}
    AuditVerification.objects.create(**common, ok=True)
    AuditVerification.objects.create(**common, ok=False, problem="leaf 3 differs")
    assert [alert.summary for alert in alerts("verification")] == ["leaf 3 differs"]


@pytest.mark.parametrize(("days", "number"), [(1, 1), (29, 1), (31, 0), (-1, 0)])
def test_a_consent_is_an_alert_in_the_thirty_days_before_its_end(days: int, number: int) -> None:
    now = timezone.now()
    make_consent(make_item(), valid_until=now + timedelta(days=days), valid_from=now - timedelta(days=90))
    make_consent(make_item(), valid_until=None)
    assert len(alerts("consent")) == number


def test_a_marked_model_is_an_alert() -> None:
    make_model_version(state="retired")
    marked = make_model_version(state="quarantined", marked_at=timezone.now())
    assert [alert.subjects for alert in alerts("model")] == [[marked.sha256]]


def test_a_withdrawal_for_which_officers_were_called_is_an_alert() -> None:
    case = make_withdrawal_case(make_item())
    assert alerts("withdrawal") == []
    withdrawal_alert(case=case, where="deadline", reason="the deadline passed")
    assert [alert.subjects for alert in alerts("withdrawal")] == [[str(case.public_id)]]


def test_a_note_stays_with_its_author_and_its_event(officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    [alert] = alerts()
    assert handle(officer, alert, "annotate", "asked the team").status_code == 302
    event = AuditEvent.objects.get(event_type="alert.annotated")
    assert (event.actor_name, event.reason, event.subject_ids[0]) == ("olga", "asked the team", alert.key)
    page = officer.get(reverse("desk:alert", args=[alert.key])).content.decode()
    assert "asked the team" in page
    assert reverse("desk:event", args=[event.event_id]) in page
    assert alerts() == [alert]


def test_a_closed_alert_leaves_the_list_and_is_found_among_the_closed(officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    [alert] = alerts()
    handle(officer, alert, "close", "replaced the model")
    assert alerts() == []
    assert AuditEvent.objects.get(event_type="alert.closed").reason == "replaced the model"
    assert "replaced the model" in officer.get("/compliance/alerts/?state=closed").content.decode()
    assert "replaced the model" in officer.get("/compliance/alerts/?state=closed&kind=model").content.decode()
    assert "replaced the model" not in officer.get("/compliance/alerts/?state=closed&kind=sacred").content.decode()


def test_what_happens_after_a_closing_opens_the_alert_again_for_that_alone(officer: Client, refuse) -> None:
    item = make_sacred("a protected name")
    refuse(item.public_id)
    refuse(item.public_id)
    handle(officer, alerts("sacred")[0], "close")
    assert alerts("sacred") == []
    refuse(item.public_id)
    assert [alert.times for alert in alerts("sacred")] == [1]


def test_a_closing_covers_what_the_officer_saw_and_no_more(officer: Client, refuse) -> None:
    item = make_sacred("a protected name")
    refuse(item.public_id)
    [seen] = alerts("sacred")
    refuse(item.public_id)
    handle(officer, seen, "close")
    assert [alert.times for alert in alerts("sacred")] == [1]


def test_an_alert_cannot_be_closed_ahead_of_time(officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    [alert] = alerts()
    form = {"text": "x", "act": "close", "seen_until": datetime(2100, 1, 1, tzinfo=UTC).isoformat()}
    officer.post(reverse("desk:alert", args=[alert.key]), form)
    assert AlertNote.objects.get().seen_until == alert.latest_at


def test_the_second_of_two_officers_is_told_that_the_alert_is_closed(officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    [alert] = alerts()
    handle(officer, alert, "close")
    answer = handle(officer, alert, "close")
    assert answer.status_code == 400
    assert "closed meanwhile" in answer.content.decode()
    assert AlertNote.objects.count() == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 301])
def test_a_note_needs_a_text_that_the_log_can_hold(text: str, officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    answer = handle(officer, alerts()[0], "close", text)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not AlertNote.objects.exists()


def test_an_unknown_act_or_moment_is_refused(officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    [alert] = alerts()
    for form in (
        {"text": "x", "act": "delete", "seen_until": alert.latest_at.isoformat()},
        {"text": "x", "act": "close"},
    ):
        assert officer.post(reverse("desk:alert", args=[alert.key]), form).status_code == 400
    assert not AlertNote.objects.exists()


@pytest.mark.parametrize("key", ["sacred:nothing", "nothing:1", "x"])
def test_an_alert_that_never_was_is_absent(key: str, officer: Client) -> None:
    assert officer.get(reverse("desk:alert", args=[key])).status_code == 404


def test_an_unknown_kind_of_alerts_is_refused_in_words(officer: Client) -> None:
    answer = officer.get("/compliance/alerts/?kind=nothing")
    assert answer.status_code == 400
    assert "There is no such kind" in answer.content.decode()


@pytest.mark.parametrize("statement", ["UPDATE ethics_alertnote SET closes = false", "DELETE FROM ethics_alertnote"])
def test_the_database_lets_nobody_take_a_note_back(statement: str, officer: Client) -> None:
    make_model_version(state="quarantined", marked_at=timezone.now())
    handle(officer, alerts()[0], "close")
    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_alert_is_found_by_its_key(refuse) -> None:
    item = make_sacred("a protected name")
    refuse(item.public_id)
    found = find_alert(f"sacred:{item.public_id}", timezone.now())
    assert found is not None
    assert found.times == 1
