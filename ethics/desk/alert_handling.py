"""What officers may do with an alert: say something about it, and close it. Nothing is ever changed or taken back."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from ethics import audit
from ethics.desk.alerts import Alert
from ethics.models import AlertNote, AuditEvent

TEXT_LENGTH = 300


@transaction.atomic
def alert_annotate(*, alert: Alert, text: str) -> AlertNote:
    """Add a note to an alert.

    Raises:
        ValidationError: no text, or one that is too long.
    """
    event = audit.record(
        "alert.annotated",
        subjects=[alert.key, *alert.subjects],
        communities=alert.communities,
        reason=_checked(text),
        details={"kind": alert.kind},
    )
    return _note(alert, event, closes=False, seen_until=alert.latest_at)


@transaction.atomic
def alert_close(*, alert: Alert, text: str, seen_until: datetime) -> AlertNote:
    """Close an alert for what had happened until ``seen_until``, the latest occurrence that the officer was shown.

    Raises:
        ValidationError: no text, one that is too long, or the alert was closed that far already.
    """
    text = _checked(text)
    seen_until = min(seen_until, alert.latest_at)
    _wait_for_others(alert.key)
    if AlertNote.objects.filter(alert_key=alert.key, closes=True, seen_until__gte=seen_until).exists():
        raise ValidationError({"text": "This alert was closed meanwhile."})
    event = audit.record(
        "alert.closed",
        subjects=[alert.key, *alert.subjects],
        communities=alert.communities,
        reason=text,
        details={"kind": alert.kind, "seen_until": seen_until.isoformat()},
    )
    return _note(alert, event, closes=True, seen_until=seen_until)


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({"text": "Say in a few words what you found or did."})
    if len(text) > TEXT_LENGTH:
        raise ValidationError({"text": f"At most {TEXT_LENGTH} characters; these are {len(text)}."})
    if not text.isprintable():
        raise ValidationError({"text": "One line of text, without control characters."})
    return text


def _wait_for_others(key: str) -> None:
    """Two officers who close an alert at once do it one after the other, and the second one is told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"alert {key}"])


def _note(alert: Alert, event: AuditEvent, *, closes: bool, seen_until: datetime) -> AlertNote:
    return AlertNote.objects.create(
        event_id=event.event_id,
        alert_key=alert.key,
        kind=alert.kind,
        closes=closes,
        seen_until=seen_until,
        author_id=event.actor_id,
        written_at=event.occurred_at,
    )
