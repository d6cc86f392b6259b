"""How a practice was attributed over time: every text of its statement and labels, and which one held at a moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps

from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose, SacredStatus


@dataclass(frozen=True)
class Statement:
    """A version of the statement; ``number`` counts from 1. Texts are empty where they may not be read any more."""

    number: int
    since: datetime
    text: str
    credited_name: str
    actor: str


@dataclass(frozen=True)
class LabelChange:
    """A label that was put on, changed or taken off."""

    at: datetime
    what: str
    label: str
    text: str
    actor: str


@dataclass(frozen=True)
class AttributionHistory:
    """The history of one governed item. ``name`` is empty unless the practice may be displayed."""

    item: GovernedItem
    name: str
    is_sacred: bool
    statements: Sequence[Statement]
    labels: Sequence[LabelChange]

    def statement_at(self, moment: datetime) -> Statement | None:
        """The statement that held at a moment."""
        place = bisect_right([entry.since for entry in self.statements], moment)
        return self.statements[place - 1] if place else None


_CHANGES = {"insert": "put on", "update": "changed", "delete": "taken off"}


def attribution_history(item: GovernedItem) -> AttributionHistory:
    """The history of an item; of a sacred one only that there were changes. Three queries."""
    is_sacred = item.sacred_status == SacredStatus.SACRED.value
    shown = GovernedItem.objects.permitted_for(Purpose.DISPLAY, Audience.PLATFORM).filter(pk=item.pk)
    name = shown.values_list("display_label", flat=True).first()
    return AttributionHistory(
        item=item,
        name=name or "",
        is_sacred=is_sacred,
        statements=[
            Statement(
                number,
                version.pgh_created_at,
                "" if is_sacred else version.statement,
                "" if is_sacred else version.credited_name,
                _actor(version),
            )
            for number, version in enumerate(_versions("AttributionEvent", item), start=1)
        ],
        labels=[
            LabelChange(
                version.pgh_created_at,
                _CHANGES.get(version.pgh_label, version.pgh_label),
                "" if is_sacred else str(version.label),
                "" if is_sacred else version.community_text,
                _actor(version),
            )
            for version in _versions("ItemLabelEvent", item, "label")
        ],
    )


def _versions(model: str, item: GovernedItem, *related: str) -> Any:
    """The versions that the database's triggers kept, oldest first."""
    rows = apps.get_model("ethics", model)._default_manager.filter(item_id=item.pk)
    return rows.select_related("pgh_context", *related).order_by("pgh_id")


def _actor(version: Any) -> str:
    return str((version.pgh_context.metadata if version.pgh_context else {}).get("actor", "system"))
