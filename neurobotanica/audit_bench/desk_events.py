"""A log for the benchmark of the compliance desk: a year of synthetic events of every kind that its filters know."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from ethics.audit.canonical import canonical_text
from ethics.audit.identities import identity_commitment
from ethics.clients import client_create
from ethics.models import ApiClient, Community, GovernedItem
from ethics.policy import Audience, Basis, SacredStatus
from ethics.stewardship import item_create

DAYS = 365
_COMMUNITIES, _PRACTICES, _SACRED, _CLIENTS, _PEOPLE = 40, 300, 10, 50, 30
_ABSENT = "00000000-0000-0000-0000-000000000000"
_COLUMNS = {
    "event_id": "uuid", "event_type": "text", "occurred_at": "timestamptz", "actor": "text", "actor_role": "text",
    "client_id": "text", "request_id": "text", "purpose": "text", "policy_revision": "int8", "model_sha256": "text",
    "subject_ids": "varchar[]", "community_ids": "varchar[]", "reason_commitment": "text", "details": "jsonb",
    "canonical": "text",
}  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """Who and what the events speak of."""

    items: list[GovernedItem]
    sacred: list[GovernedItem]
    clients: list[ApiClient]
    people: list[str]


def desk_events_write(events: int, now: datetime) -> Cast:
    """Fill the log with so many events of the year before ``now``, oldest first."""
    cast = _cast()
    names = ", ".join(_COLUMNS)
    statement = f"COPY ethics_auditevent ({names}) FROM STDIN (FORMAT BINARY)"
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(_COLUMNS.values()))
        for row in _rows(events, cast, now):
            copy.write_row(row)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE ethics_auditevent")
    return cast


def _cast() -> Cast:
    communities = [
        Community.objects.create(slug=f"bench-community-{number}", name=f"Community {number}")
        for number in range(_COMMUNITIES)
    ]
    items = [
        item_create(
            community=communities[number % _COMMUNITIES],
            display_label=f"Synthetic practice {number}",
            basis=Basis.DOCUMENTED,
            basis_source="synthetic",
            statement=f"Statement {number}",
        )
        for number in range(_PRACTICES)
    ]
    sacred = [
        GovernedItem.objects.create(community=communities[number], sacred_status=SacredStatus.SACRED.value)
        for number in range(_SACRED)
    ]
    clients = [
        client_create(organisation=f"Bench dispensary {number}", audience=Audience.COMMERCIAL)
        for number in range(_CLIENTS)
    ]
    people = [identity_commitment(f"bench person {number}") for number in range(_PEOPLE)]
    return Cast(items, sacred, clients, people)


def _rows(events: int, cast: Cast, now: datetime) -> Iterator[list[object]]:
    dice = random.Random(20_261_124)  # noqa: S311  the same log every time
    step = timedelta(days=DAYS) / events
    for number in range(events):
        moment = now - step * (events - number)
        event_id = uuid.UUID(int=dice.getrandbits(128), version=4)
        fields = {
            "event_id": str(event_id),
            "occurred_at": moment.isoformat(timespec="microseconds"),
            "request_id": f"{number:032x}",
            "policy_revision": 1 + number // 1000,
            "model_sha256": "",
            "purpose": "",
            "reason": "",
            **_kind(dice, cast),
        }
        columns = {**fields, "event_id": event_id, "occurred_at": moment, "details": Jsonb(fields["details"])}
        columns |= {"reason_commitment": "", "canonical": canonical_text(fields)}
        yield [columns[name] for name in _COLUMNS]


def _kind(dice: random.Random, cast: Cast) -> dict[str, Any]:
    """One event: answers mostly, some refusals, now and then a sacred item that was asked for, and work of people."""
    share = dice.random()
    item = cast.items[min(int(dice.expovariate(0.02)), _PRACTICES - 1)]
    if share < 0.05:
        return {
            "event_type": dice.choice(["curation.changed", "consent.recorded", "sacred.viewed"]),
            "actor": dice.choice(cast.people),
            "actor_role": "curator",
            "client_id": "",
            "subject_ids": [str(item.public_id)],
            "community_ids": [item.community.slug],
            "details": {},
        }
    client = cast.clients[min(int(dice.expovariate(0.1)), _CLIENTS - 1)]
    asked: dict[str, Any] = {
        "actor": cast.people[0],
        "actor_role": "commercial client",
        "client_id": str(client.public_id),
        "purpose": "prediction",
        "model_sha256": "0" * 64,
        "subject_ids": [str(item.public_id)],
        "community_ids": [],
        "details": {"direction": "tk_to_genomic"},
    }
    if share < 0.88:
        served = {"event_type": "prediction.served" if share < 0.8 else "catalogue.listed"}
        return asked | served | {"community_ids": [item.community.slug], "details": {"count": 3}}
    if share < 0.94:
        subject = _ABSENT if share < 0.9 else str(item.public_id)
        return asked | {"event_type": "prediction.refused", "subject_ids": [subject]}
    sacred = str(dice.choice(cast.sacred).public_id)
    if share < 0.945:
        return asked | {"event_type": "prediction.refused", "subject_ids": [sacred]}
    reasons = dice.choice([["named"], ["near"], ["far"], ["named", "near"]])
    return asked | {"event_type": "text.withheld", "details": {"reasons": reasons}}
