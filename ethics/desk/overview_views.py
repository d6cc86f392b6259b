"""The first page of the desk: the state of the log, what calls for an officer, and how knowledge is used."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from ethics.desk.access import officers_only
from ethics.desk.alerts import alert_sources, open_alerts
from ethics.desk.charts import refusal_bars, served_columns
from ethics.desk.log_state import desk_log_state, newest_head
from ethics.desk.usage import PERIODS, usage

_ALERTS_SHOWN = 6
_FIRST_PERIOD = "30"


@officers_only
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """``?days=`` chooses the period of the charts."""
    now = timezone.now()
    days = request.GET.get("days", _FIRST_PERIOD)
    is_known = days in PERIODS
    days = days if is_known else _FIRST_PERIOD
    head = newest_head()
    first = now.date() - timedelta(days=int(days) - 1)
    shown = usage(first, now.date(), sealed_below=head.sealed_below if head else 0)
    alerts = open_alerts(now)
    sources = alert_sources()
    context = {
        "log": desk_log_state(head, now),
        "alerts": [(sources[alert.kind], alert) for alert in alerts.alerts[:_ALERTS_SHOWN]],
        "alert_count": len(alerts.alerts),
        "alerts_cut": bool(alerts.cut),
        "usage": shown,
        "rows": [(start, end, shown.served.row(start)) for start, end in shown.served.intervals],
        "columns": served_columns(shown.served),
        "bars": refusal_bars(shown.refusals),
        "days": days,
        "periods": PERIODS,
        "period_error": "" if is_known else f"The charts can show {', '.join(PERIODS.values())}.",
    }
    return render(request, "compliance/overview.html", context, status=200 if is_known else 400)
