"""How long each page of the compliance desk takes over a large log, and how many queries it makes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.audit import command_audit_context
from ethics.audit.sealing import Sealer
from ethics.models import AuditEvent
from neurobotanica.audit_bench.desk_events import Cast, desk_events_write
from neurobotanica.audit_bench.scratch import scratch_log

WARM_UP = 2
Tell = Callable[[str], object]


class PageFailed(Exception):
    """A page did not answer 200."""


def measure_desk(*, events: int, runs: int, tell: Tell) -> dict[str, Any]:
    """Fill a scratch log, seal it, and ask for each page in turn; milliseconds within the site, without a network.

    Raises:
        PageFailed: a page did not answer 200.
    """
    # The context is opened on the finished database: history can't be kept while its tables are made.
    with scratch_log(), command_audit_context():
        now = timezone.now()
        tell(f"writing {events} events")
        cast = desk_events_write(events, now)
        tell("sealing them")
        _seal()
        officer = _officer()
        pages = {}
        for name, address in _addresses(cast, now).items():
            tell(f"asking for: {name}")
            pages[name] = _measure(officer, address, runs)
        return {
            "events": events,
            "runs": runs,
            "pages": pages,
            "slowest_median_ms": max(page["median_ms"] for page in pages.values()),
            "most_queries": max(page["queries"] for page in pages.values()),
        }


def _seal() -> None:
    sealer = Sealer()
    try:
        sealer.lead()
        sealer.seal()
    finally:
        sealer.resign()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _officer() -> Client:
    person = User.objects.create_user("bench officer", is_staff=True)
    person.groups.add(Group.objects.get(name=COMPLIANCE_OFFICER))
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(person)
    return client


def _asked_for(cast: Cast) -> UUID:
    """A sacred item of which there is an alert: somebody asked for it."""
    refused = AuditEvent.objects.filter(event_type="prediction.refused")
    return next(
        item.public_id for item in cast.sacred if refused.filter(subject_ids__contains=[str(item.public_id)]).exists()
    )


def _addresses(cast: Cast, now: datetime) -> dict[str, str]:
    """Every page, and the event list with each filter, frequent and rare."""
    events, item, rare = reverse("desk:events"), cast.items[0], cast.items[-2]
    days = [(now - timedelta(days=days)).date().isoformat() for days in (200, 170)]
    period = {"since": days[0], "until": days[1]}
    asked: dict[str, dict[str, str]] = {
        "all": {},
        "a community": {"community": item.community.slug},
        "a practice": {"subject": str(item.public_id)},
        "a rare practice": {"subject": str(rare.public_id)},
        "a client": {"client": str(cast.clients[0].public_id)},
        "a rare client": {"client": str(cast.clients[-2].public_id)},
        "an actor": {"actor": "bench person 7"},
        "a type": {"event_type": "prediction.served"},
        "a rare type": {"event_type": "sacred.viewed"},
        "a family of types": {"event_type": "consent.*"},
        "a period": period,
        "a reason of refusal": {"refusal": "named"},
        "a community, type and period": {
            "community": item.community.slug, "event_type": "prediction.served", **period,
        },
        "a practice, client and period": {
            "subject": str(item.public_id), "client": str(cast.clients[0].public_id), **period,
        },
        "nothing": {"subject": "no-such-subject"},
    }  # fmt: skip
    middle = AuditEvent.objects.filter(occurred_at__lt=now - timedelta(days=180)).order_by("-occurred_at")[:1].get()
    return {
        "overview": reverse("desk:overview"),
        "overview, a year": f"{reverse('desk:overview')}?days=365",
        **{f"events of {name}": f"{events}?{urlencode(terms)}" for name, terms in asked.items()},
        "an event": reverse("desk:event", args=[middle.event_id]),
        "a practice": reverse("desk:practice", args=[item.public_id]),
        "alerts": reverse("desk:alerts"),
        "an alert": reverse("desk:alert", args=[f"sacred:{_asked_for(cast)}"]),
        "closed alerts": f"{reverse('desk:alerts')}?state=closed",
        "saved filters": reverse("desk:filters"),
    }


def _measure(officer: Client, address: str, runs: int) -> dict[str, Any]:
    times, queries = [], 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    for number in range(WARM_UP + runs):
        queries = 0
        started = time.perf_counter()
        with connection.execute_wrapper(count):
            answer = officer.get(address)
        if number >= WARM_UP:
            times.append(1000 * (time.perf_counter() - started))
        if answer.status_code != 200:
            raise PageFailed(f"{address} answered {answer.status_code}")
    return {
        "median_ms": round(statistics.median(times), 1),
        "slowest_ms": round(max(times), 1),
        "queries": queries,
    }
