"""Alerts: what calls for an officer. They are found by sources, not stored; what officers said about them is.

Other apps register their sources at start-up, because ethics imports no sibling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max

from ethics.models import AlertNote

MOST_OF_A_SOURCE = 200
"""More open alerts of one source are not listed; the page says so."""


@dataclass(frozen=True)
class Alert:
    """Something that calls for an officer, as its source finds it now.

    ``key`` names it for good, ``latest_at`` is its latest occurrence. ``link`` is a page that shows more.
    """

    key: str
    kind: str
    summary: str
    latest_at: datetime
    times: int = 1
    communities: Sequence[str] = ()
    subjects: Sequence[str] = ()
    link: str = ""
    link_text: str = ""


@dataclass(frozen=True)
class AlertSource:
    """A kind of alert: what it means, and a function that finds the newest ``MOST_OF_A_SOURCE`` of them.

    ``find`` makes one query at most. It may leave out what a closing covers; what it gives is checked in any case.
    """

    kind: str
    title: str
    meaning: str
    find: Callable[[datetime], Iterable[Alert]]


@dataclass(frozen=True)
class OpenAlerts:
    """The open alerts, latest first, and the kinds of which there are more than are listed."""

    alerts: list[Alert] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


_sources: dict[str, AlertSource] = {}


def register_alert_source(source: AlertSource) -> AlertSource:
    """Make a source known.

    Raises:
        ValueError: another source has this kind.
    """
    if _sources.setdefault(source.kind, source) is not source:
        raise ValueError(f"alert kind {source.kind!r} is registered already")
    return source


def alert_sources() -> dict[str, AlertSource]:
    """All sources by kind."""
    return dict(_sources)


def open_alerts(now: datetime, kind: str = "") -> OpenAlerts:
    """What no closing covers: one query for each source, and one for the closings."""
    found: dict[str, list[Alert]] = {
        source.kind: list(source.find(now)) for source in _sources.values() if kind in ("", source.kind)
    }
    keys = [alert.key for alerts in found.values() for alert in alerts]
    closings = AlertNote.objects.filter(closes=True, alert_key__in=keys).values("alert_key")
    covered = dict(closings.annotate(until=Max("seen_until")).values_list("alert_key", "until").order_by())
    alerts = [
        alert
        for alerts in found.values()
        for alert in alerts
        if alert.key not in covered or covered[alert.key] < alert.latest_at
    ]
    cut = [source_kind for source_kind, alerts in found.items() if len(alerts) >= MOST_OF_A_SOURCE]
    return OpenAlerts(sorted(alerts, key=lambda alert: alert.latest_at, reverse=True), cut)


def find_alert(key: str, now: datetime) -> Alert | None:
    """The alert of this key as its source finds it now; None where it is found no more."""
    source = _sources.get(key.partition(":")[0])
    if source is None:
        return None
    return next((alert for alert in source.find(now) if alert.key == key), None)
