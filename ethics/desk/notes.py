"""What officers said about alerts, with the people and texts that the log names by commitment."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from ethics.models import AlertNote, AuditReason
from ethics.models.audit_personal import SHREDDED


def notes_of(key: str) -> list[AlertNote]:
    """The notes on an alert, oldest first."""
    return list(_with_texts().filter(alert_key=key).order_by("written_at", "pk"))


def closings(kind: str = "") -> QuerySet[AlertNote]:
    """Closings, the latest first."""
    found = _with_texts().filter(closes=True)
    return (found.filter(kind=kind) if kind else found).order_by("-written_at", "-pk")


def _with_texts() -> QuerySet[AlertNote]:
    text = AuditReason.objects.filter(event_id=OuterRef("event_id")).exclude(text="").values("text")
    return AlertNote.objects.select_related("author").annotate(text=Coalesce(Subquery(text), Value(SHREDDED)))
