"""Taking training snapshots: the only way from the database to the model, through the policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from correlations.models import Correlation, GenomicTarget, Practice, SynergyPair
from correlations.vocabulary import ReviewStatus
from ethics import audit
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose, decide
from ethics.querysets import facts_of
from genomepath.code_version import code_version
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


@dataclass(frozen=True)
class TakenSnapshot:
    """A snapshot and the governed items in it, by public id."""

    snapshot: Snapshot
    item_public_ids: tuple[UUID, ...]


@transaction.atomic
def snapshot_take(*, include_drafts: bool) -> TakenSnapshot:
    """Freeze what the policy allows for training. What was left out, and why, is told to the audit log alone.

    Raises:
        ValidationError: nothing may be trained on.
    """
    now = timezone.now()
    practices = list(
        Practice.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM, now)
        .select_related("item__community")
        .prefetch_related("practice_indications__condition")
    )
    statuses = WITH_DRAFTS if include_drafts else APPROVED_ONLY
    correlations = (
        Correlation.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM, now)
        .filter(status__in=statuses)
        .select_related("practice", "target")
    )
    snapshot = snapshot_build(
        practices=[_practice_record(practice) for practice in practices],
        targets=[_target_record(target) for target in GenomicTarget.objects.prefetch_related("disease_associations")],
        correlations=[_correlation_record(row) for row in correlations],
        synergies=[_synergy_record(pair) for pair in SynergyPair.objects.select_related("target_a", "target_b")],
    )
    if not snapshot.correlations:
        hint = "" if include_drafts else " Drafts are left out unless they are asked for."
        raise ValidationError(f"No correlation may be used for training.{hint}")
    audit.record(
        "snapshot.exported",
        subjects=[snapshot.data_sha256],
        communities={practice.item.community.slug for practice in practices},
        purpose=Purpose.TRAINING,
        details={
            "data_sha256": snapshot.data_sha256,
            "practices": len(snapshot.practices),
            "correlations": len(snapshot.correlations),
            "include_drafts": include_drafts,
            "excluded": sorted(_exclusions(practice.item_id for practice in practices)),
        },
    )
    return TakenSnapshot(snapshot, tuple(sorted(practice.item.public_id for practice in practices)))


def snapshot_export(*, folder: Path, include_drafts: bool) -> tuple[TakenSnapshot, dict[str, Any]]:
    """Take a snapshot and write it to ``folder``; returns it with its manifest."""
    taken = snapshot_take(include_drafts=include_drafts)
    return taken, write_snapshot(taken.snapshot, folder, code_version=code_version())


def _exclusions(included: Iterable[int]) -> list[str]:
    now = timezone.now()
    excluded: QuerySet[GovernedItem] = GovernedItem.objects.with_policy_facts().filter(~Q(pk__in=list(included)))
    return [
        f"{item.public_id}:{decide(facts_of(item), Purpose.TRAINING, Audience.PLATFORM, now).reason.value}"
        for item in excluded
    ]


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
