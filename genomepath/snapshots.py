"""Taking training snapshots: the only way from the database to the model, through the policy."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from correlations.models import Correlation, GenomicTarget, Practice, SynergyPair
from correlations.vocabulary import ReviewStatus
from ethics import audit
from ethics.models import GovernedItem
from ethics.policy import Audience, ItemFacts, Purpose, Reason, decide
from ethics.querysets import facts_of
from genomepath.code_version import code_version
from genomepath.export_uses import TRAINING_HERE, Use, items_allowed, moments_of_export, uses_of_training_set
from genomepath.ml.snapshot import (
    CorrelationRecord,
    DiseaseRecord,
    PracticeRecord,
    Snapshot,
    SynergyRecord,
    TargetRecord,
    snapshot_build,
    write_snapshot,
)

WITH_DRAFTS = (ReviewStatus.APPROVED.value, ReviewStatus.REVIEW.value, ReviewStatus.DRAFT.value)
APPROVED_ONLY = (ReviewStatus.APPROVED.value,)


class LeftOut(NamedTuple):
    """What the platform may train on itself and may not hand out; of what nobody may train on there is no count."""

    practices: int
    correlations: int


@dataclass(frozen=True)
class TakenSnapshot:
    """A snapshot and the governed items in it, by public id."""

    snapshot: Snapshot
    item_public_ids: tuple[UUID, ...]
    left_out: LeftOut


@transaction.atomic
def snapshot_take(*, include_drafts: bool, handed_to: Collection[Audience] = ()) -> TakenSnapshot:
    """Freeze what the policy allows for training, and of that what may be handed to the audiences as a training set.

    What was left out, and why, is told to the audit log alone.

    Raises:
        ValidationError: nothing may be trained on.
    """
    now = timezone.now()
    uses = uses_of_training_set(handed_to)
    trainable = _trainable_rows(include_drafts, now)
    rows = trainable.of_items(items_allowed(uses, now, trainable.public_ids)) if handed_to else trainable
    if not rows.correlations:
        hint = "" if include_drafts else " Drafts are left out unless they are asked for."
        handed = f" and handed out ({', '.join(audience.value for audience in handed_to)})" if handed_to else ""
        raise ValidationError(f"No correlation may be used for training{handed}.{hint}")
    snapshot = _snapshot_of(rows)
    audit.record(
        "snapshot.exported",
        subjects=[snapshot.data_sha256],
        communities={practice.item.community.slug for practice in rows.practices},
        purpose=Purpose.EXPORT if handed_to else Purpose.TRAINING,
        details={
            "data_sha256": snapshot.data_sha256,
            "practices": len(snapshot.practices),
            "correlations": len(snapshot.correlations),
            "include_drafts": include_drafts,
            "excluded": sorted(_exclusions((practice.item_id for practice in rows.practices), uses)),
        },
    )
    return TakenSnapshot(snapshot, tuple(sorted(rows.public_ids)), trainable.without(rows))


def snapshot_export(
    *, folder: Path, include_drafts: bool, handed_to: Collection[Audience] = ()
) -> tuple[TakenSnapshot, dict[str, Any]]:
    """Take a snapshot and write it to ``folder``; returns it with its manifest."""
    taken = snapshot_take(include_drafts=include_drafts, handed_to=handed_to)
    return taken, write_snapshot(taken.snapshot, folder, code_version=code_version())


class _Rows(NamedTuple):
    """Practices and their correlations, as the policy allows them."""

    practices: list[Practice]
    correlations: list[Correlation]

    @property
    def public_ids(self) -> list[UUID]:
        return [practice.item.public_id for practice in self.practices]

    def of_items(self, public_ids: Collection[UUID]) -> _Rows:
        kept = [practice for practice in self.practices if practice.item.public_id in public_ids]
        keys = {practice.pk for practice in kept}
        return _Rows(kept, [row for row in self.correlations if row.practice_id in keys])

    def without(self, kept: _Rows) -> LeftOut:
        return LeftOut(
            len(self.practices) - len(kept.practices),
            len(self.correlations) - len(kept.correlations),
        )


def _trainable_rows(include_drafts: bool, now: datetime) -> _Rows:
    practices = (
        Practice.objects.permitted_for(*TRAINING_HERE, now)
        .select_related("item__community")
        .prefetch_related("practice_indications__condition")
    )
    correlations = (
        Correlation.objects.permitted_for(*TRAINING_HERE, now)
        .filter(status__in=WITH_DRAFTS if include_drafts else APPROVED_ONLY)
        .select_related("practice", "target")
    )
    return _Rows(list(practices), list(correlations))


def _snapshot_of(rows: _Rows) -> Snapshot:
    return snapshot_build(
        practices=[_practice_record(practice) for practice in rows.practices],
        targets=[_target_record(target) for target in GenomicTarget.objects.prefetch_related("disease_associations")],
        correlations=[_correlation_record(row) for row in rows.correlations],
        synergies=[_synergy_record(pair) for pair in SynergyPair.objects.select_related("target_a", "target_b")],
    )


def _exclusions(included: Iterable[int], uses: Collection[Use]) -> list[str]:
    now = timezone.now()
    excluded: QuerySet[GovernedItem] = GovernedItem.objects.with_policy_facts().filter(~Q(pk__in=list(included)))
    return [f"{item.public_id}:{_reason(facts_of(item), uses, now).value}" for item in excluded]


def _reason(facts: ItemFacts, uses: Collection[Use], now: datetime) -> Reason:
    """That of the first use that is refused, or of the first use: an item without a practice may be allowed them all."""
    decisions = [
        decide(facts, purpose, audience, moment) for moment in moments_of_export(now) for purpose, audience in uses
    ]
    return next((decision for decision in decisions if not decision.allowed), decisions[0]).reason


def _practice_record(practice: Practice) -> PracticeRecord:
    return PracticeRecord(
        slug=practice.slug,
        title=practice.title,
        tradition=practice.tradition,
        indications=tuple(name for _, name in sorted(_positioned_indications(practice))),
        preparation=practice.preparation,
        cultural_context=practice.cultural_context,
    )


def _positioned_indications(practice: Practice) -> list[tuple[int, str]]:
    """Position and name: equal positions are told apart by name, so that equal content gives equal bytes."""
    return [(entry.position, entry.condition.name) for entry in practice.practice_indications.all()]


def _target_record(target: GenomicTarget) -> TargetRecord:
    return TargetRecord(
        symbol=target.symbol,
        name=target.name,
        pathways=tuple(pathway["name"] for pathway in target.pathways),
        tissues=tuple(target.tissues),
        diseases=tuple(
            sorted(
                DiseaseRecord(association.name, association.identifier, association.study_count)
                for association in target.disease_associations.all()
            )
        ),
    )


def _correlation_record(row: Correlation) -> CorrelationRecord:
    return CorrelationRecord(
        practice=row.practice.slug,
        target=row.target.symbol,
        dose=row.dose,
        direction=row.direction,
        confidence=row.confidence,
        quality=row.quality,
    )


def _synergy_record(pair: SynergyPair) -> SynergyRecord:
    first, second = sorted((pair.target_a.symbol, pair.target_b.symbol))
    return SynergyRecord(first, second)
