"""What one client asked for, counted from the audit log by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate

from ethics.models import AuditEvent

MOST_DAYS = 92


def client_usage(*, client_id: str, first: date, last: date) -> dict[str, Any]:
    """Events of the client's own requests from the first to the last day (UTC), both included, by day and type."""
    start, end = datetime.combine(first, time.min, UTC), datetime.combine(last, time.max, UTC)
    rows = (
        AuditEvent.objects.filter(client_id=client_id, occurred_at__gte=start, occurred_at__lte=end)
        .annotate(day=TruncDate("occurred_at", tzinfo=UTC))
        .values("day", "event_type")
        .annotate(times=Count("id"))
        .order_by("day", "event_type")
    )
    found = [{"day": row["day"].isoformat(), "event_type": row["event_type"], "times": row["times"]} for row in rows]
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "rows": found,
        "total": sum(row["times"] for row in found),
    }
