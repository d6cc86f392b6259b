"""The credit that travels with an export: whose each practice is, on what its use rests, and its labels and sources."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from correlations.models import Practice
from ethics.attribution import AttributionStatement, attribution_for
from ethics.policy import Audience, Purpose
from genomepath.answers import source_content
from genomepath.export_records import WITHHELD_MEANWHILE

CREDITS = "ATTRIBUTIONS.jsonl"


def write_credits(
    folder: Path, *, slugs: Collection[str], item_public_ids: Collection[UUID], audiences: Sequence[Audience]
) -> None:
    """Write a line for each practice of an export. ``basis`` says for each audience on what its use rests.

    Raises:
        ValidationError: a practice has no attribution any more.
        OSError: the file cannot be written.
    """
    now = timezone.now()
    practices = (
        Practice.objects.permitted_for(Purpose.EXPORT, audiences[0], now)
        .filter(item__public_id__in=item_public_ids)
        .with_policy_facts()
        .prefetch_related("sources")
        .order_by("slug")
    )
    lines = []
    for practice in practices:
        given = {audience: attribution_for(practice.item, Purpose.EXPORT, audience, now) for audience in audiences}
        statements = {audience: statement for audience, statement in given.items() if statement is not None}
        if len(statements) == len(audiences):
            lines.append(_credit(practice, statements))
    if {line["practice"] for line in lines} != set(slugs):
        raise ValidationError(WITHHELD_MEANWHILE)
    text = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines)
    (folder / CREDITS).write_text(text, encoding="utf-8")


def _credit(practice: Practice, statements: dict[Audience, AttributionStatement]) -> dict[str, Any]:
    statement = next(iter(statements.values()))
    return {
        "practice": practice.slug,
        "title": practice.title,
        "community": statement["community"],
        "statement": statement["statement"],
        "credited_name": statement["credited_name"],
        "labels": sorted(statement["labels"], key=lambda label: label["code"]),
        "basis": {audience.value: statement["basis"] for audience, statement in statements.items()},
        "sources": [source_content(source) for source in practice.sources.all()],
    }
