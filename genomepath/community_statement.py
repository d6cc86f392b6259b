"""Every use of a community's knowledge in a period, counted from the audit log: the base of a benefit-sharing agreement.

It is read by stewards and officers. It holds identifiers and counts, names of clients and recipients, and no knowledge.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ethics.audit.archive import archived_before
from ethics.models import ApiClient, AuditEvent, Community, GovernedItem
from ethics.spreadsheet import safe_cell
from genomepath.models import ExportRecord, TrainingRun
from genomepath.models.training_run import RunKind

SERVED = ("prediction.served", "prediction.explained")
LISTED = "catalogue.listed"
WITHHELD = ("prediction.refused", "text.withheld")
COLUMNS = ("use", "client", "audience", "times", "item_uses", "reference", "data_sha256", "when")


def community_statement(community: Community, start: datetime, end: datetime) -> dict[str, Any]:
    """The uses from ``start`` up to, and not with, ``end``.

    ``times`` counts answers, ``item_uses`` the community's items named in them: an answer with two of its items is one
    time and two item uses. A withheld request asked for an item that the policy did not allow; nothing was shown.
    Trainings, evaluations and searches for hyperparameters are those that ended in the period on data with knowledge of the
    community; one that was cut off has no result and is not counted. ``not_counted`` says how many events of the log, of all
    communities, lie in the archive and may belong to the period.
    """
    items = {str(public_id) for public_id in _items(community).values_list("public_id", flat=True)}
    period = AuditEvent.objects.filter(occurred_at__gte=start, occurred_at__lt=end)
    credited = period.filter(community_ids__contains=[community.slug])
    uses = {
        "predictions": _by_client(credited.filter(event_type__in=SERVED), items),
        "lists": _by_client(credited.filter(event_type=LISTED), items),
        "withheld_requests": _by_client(
            period.filter(event_type__in=WITHHELD, subject_ids__overlap=sorted(items)), items
        ),
        "exports": _exports(credited, items),
        **_work_on(_data_with_knowledge_of(community), period),
    }
    archived = archived_before(moment=start)
    totals = {name: sum(int(row.get("times", 1)) for row in rows) for name, rows in uses.items()}
    return {
        "community": {"slug": community.slug, "name": community.name},
        "from": start.isoformat(),
        "to": end.isoformat(),
        **uses,
        "not_counted": {"archived_events": archived[0], "until": archived[1].isoformat(timespec="seconds")}
        if archived
        else None,
        "totals": {**totals, "item_uses": sum(row["item_uses"] for row in uses["predictions"])},
    }


def statement_csv(statement: dict[str, Any]) -> str:
    """The statement as one table: a row for each client, export, training, evaluation and search."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=COLUMNS, restval="")
    writer.writeheader()
    for row in _rows(statement):
        writer.writerow({name: safe_cell(value) for name, value in row.items()})
    return text.getvalue()


def _rows(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for use in ("predictions", "lists", "withheld_requests"):
        for row in statement[use]:
            yield {"use": use, **{name: row[name] for name in ("client", "audience", "times", "item_uses")}}
    for row in statement["exports"]:
        yield {
            "use": "exports",
            "client": row["recipient"],
            "times": 1,
            "item_uses": row["items"],
            "reference": row["export"],
            "data_sha256": row["data_sha256"],
            "when": row["when"],
        }
    if statement["not_counted"]:
        missing = statement["not_counted"]
        yield {"use": "archived, not counted", "times": missing["archived_events"], "when": missing["until"]}
    for use in ("trainings", "evaluations", "searches"):
        for row in statement[use]:
            yield {
                "use": use, "times": 1, "reference": row["run"], "data_sha256": row["data_sha256"], "when": row["when"],
            }  # fmt: skip


def _items(community: Community) -> QuerySet[GovernedItem]:
    items: QuerySet[GovernedItem] = GovernedItem.objects.filter(community=community)
    return items


def _by_client(events: QuerySet[AuditEvent], items: set[str]) -> list[dict[str, Any]]:
    """Answers and item uses of each client; what was asked without a key stands under its role."""
    times: dict[tuple[str, str], int] = defaultdict(int)
    item_uses: dict[tuple[str, str], int] = defaultdict(int)
    rows = events.order_by("pk").values_list("client_id", "actor_role", "subject_ids")
    for client_id, role, subjects in rows.iterator(chunk_size=5000):
        key = (client_id, "" if client_id else role)
        times[key] += 1
        item_uses[key] += len(items.intersection(subjects))
    clients = {str(client.public_id): client for client in ApiClient.objects.all()}
    found = []
    for (client_id, role), count in sorted(times.items()):
        client = clients.get(client_id)
        found.append(
            {
                "client": client.organisation if client else client_id or f"platform ({role})",
                "client_id": client_id,
                "audience": client.audience if client else "",
                "times": count,
                "item_uses": item_uses[client_id, role],
            }
        )
    return found


def _exports(credited: QuerySet[AuditEvent], items: set[str]) -> list[dict[str, Any]]:
    events = {event.subject_ids[0]: event for event in credited.filter(event_type="export.handed_out").order_by("pk")}
    records = ExportRecord.objects.filter(public_id__in=list(events)).order_by("pk")
    return [
        {
            "export": str(record.public_id),
            "what": record.what,
            "recipient": record.recipient,
            "data_sha256": record.data_sha256,
            "items": len(items.intersection(map(str, record.item_public_ids))),
            "when": events[str(record.public_id)].occurred_at.isoformat(timespec="seconds"),
        }
        for record in records
    ]


def _data_with_knowledge_of(community: Community) -> set[str]:
    snapshots = AuditEvent.objects.filter(event_type="snapshot.exported", community_ids__contains=[community.slug])
    return set(snapshots.values_list("details__data_sha256", flat=True))


def _work_on(data: set[str], period: QuerySet[AuditEvent]) -> dict[str, list[dict[str, Any]]]:
    """Trainings and evaluations that ended well in the period, and searches of which a point was trained."""
    ended = period.filter(event_type="training.completed").order_by("pk")
    # The event of an evaluation names no data: it is that of the model version which the run judged.
    runs = TrainingRun.objects.filter(kind=RunKind.EVALUATION.value, model_version__data_sha256__in=data)
    judged = {str(run): sha256 for run, sha256 in runs.values_list("public_id", "model_version__data_sha256")}
    searched = period.filter(event_type="tuning.completed", details__data_sha256__in=data).order_by("pk")
    return {
        "trainings": [
            _run(event, event.details["data_sha256"])
            for event in ended.filter(details__kind="training", details__data_sha256__in=data)
        ],
        "evaluations": [
            _run(event, judged[event.subject_ids[0]])
            for event in ended.filter(details__kind="evaluation")
            if event.subject_ids[0] in judged
        ],
        "searches": [
            _run(event, event.details["data_sha256"])
            for event in searched
            if event.details["points"] > event.details["failed"]
        ],
    }


def _run(event: AuditEvent, data_sha256: str) -> dict[str, Any]:
    return {
        "run": event.subject_ids[0],
        "data_sha256": data_sha256,
        "when": event.occurred_at.isoformat(timespec="seconds"),
    }
