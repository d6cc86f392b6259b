"""The printable first page of an evidence pack: one HTML file that needs nothing else, neither network nor script."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from ethics.audit.pack_contents import Tally
from ethics.audit.registry import registered_event_types
from ethics.models import ApiClient, Community

_FILTERS = {
    "community": "Community",
    "client": "Client",
    "actor": "Actor (by commitment)",
    "subject": "Item or record",
    "event_type": "Type of event",
    "refusal": "Reason of refusal",
    "request_id": "Request",
    "since": "From",
    "until": "Until, not included",
}
_MOST_ROWS = 50


@dataclass(frozen=True)
class CountRow:
    """One line of a table of counts; ``share`` is per cent of the largest count, for the bar."""

    name: str
    meaning: str
    count: int
    share: int


@dataclass(frozen=True)
class CountTable:
    """A table of counts; ``left_out`` rows are too many for a printed page."""

    title: str
    unit: str
    note: str
    rows: list[CountRow]
    left_out: int


def summary_html(tally: Tally, manifest: dict[str, Any]) -> str:
    """The page. It names types, communities, clients and codes with their counts, and no person."""
    fingerprint = manifest["log_id"]
    return render_to_string(
        "evidence_pack/summary.html",
        {
            "manifest": manifest,
            "as_of": datetime.fromisoformat(manifest["as_of"]),
            "filters": [(_FILTERS[name], value) for name, value in sorted(manifest["filters"].items())],
            "tally": tally,
            "others": manifest["head"]["tree_size"] - tally.events,
            "fingerprint": [fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4)],
            "plain_fingerprint": fingerprint,
            "tables": _tables(tally),
        },
    )


def _tables(tally: Tally) -> list[CountTable]:
    meanings = {name: kind.meaning for name, kind in registered_event_types().items()}
    communities = dict(Community.objects.filter(slug__in=tally.communities).values_list("slug", "name"))
    clients = {
        str(public_id): name
        for public_id, name in ApiClient.objects.values_list("public_id", "organisation").iterator()
    }
    several = "An event that names several is counted for each."
    tables = [
        _table("By type of event", "type", "", tally.types, meanings),
        _table("By community", "community", several, tally.communities, communities),
        _table(
            "By client", "client", "Events of people and of the platform itself have no client.", tally.clients, clients
        ),
        _table("By reason of refusal", "reason", several, tally.refusals, {}),
    ]
    return [table for table in tables if table.rows]


def _table(title: str, unit: str, note: str, counts: Counter[str], meanings: dict[str, str]) -> CountTable:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    largest = ordered[0][1] if ordered else 1
    rows = [
        CountRow(name, meanings.get(name, ""), count, max(1, round(100 * count / largest)))
        for name, count in ordered[:_MOST_ROWS]
    ]
    return CountTable(title, unit, note, rows, len(ordered) - len(rows))
