"""Services by which people write curated records: the row and its audit event in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import models, transaction

from correlations.models import Correlation, Practice
from correlations.scoring import quality_of
from correlations.vocabulary import Origin, ReviewStatus
from ethics import audit
from ethics.models import Community
from ethics.policy import Basis
from ethics.reasons import explained
from ethics.records import ADDED, CHANGED, REMOVED, record_change
from ethics.stewardship import item_create

_NEXT_STATUSES = {
    ReviewStatus.DRAFT: {ReviewStatus.REVIEW, ReviewStatus.APPROVED, ReviewStatus.REJECTED},
    ReviewStatus.REVIEW: {ReviewStatus.DRAFT, ReviewStatus.APPROVED, ReviewStatus.REJECTED},
    ReviewStatus.APPROVED: {ReviewStatus.REVIEW, ReviewStatus.REJECTED},
    ReviewStatus.REJECTED: {ReviewStatus.REVIEW},
}


@explained
@transaction.atomic
def practice_create(
    *,
    practice: Practice,
    community: Community,
    basis: Basis,
    basis_source: str = "",
    statement: str = "",
    credited_name: str = "",
    reason: str = "",
) -> Practice:
    """Add a practice together with the governed item that it belongs to. ``practice`` is unsaved and has no item.

    Raises:
        ValidationError: nobody states a reason, or a field or database rule of either is broken; nothing is written.
    """
    practice.item = item_create(
        community=community,
        display_label=practice.title,
        basis=basis,
        basis_source=basis_source,
        statement=statement,
        credited_name=credited_name,
    )
    practice.origin = Origin.MANUAL.value
    practice.full_clean()
    practice.save()
    audit.record(
        "practice.created",
        subjects=[practice.item.public_id],
        communities=[community.slug],
        details={"origin": practice.origin},
    )
    return practice


@explained
@transaction.atomic
def curated_record_save(
    *, instance: models.Model, changed_fields: Collection[str], created: bool, reason: str = ""
) -> None:
    """Save a record of the catalogue. The quality of a correlation follows from its confidence.

    Raises:
        ValidationError: nobody states a reason, or a field or database rule is broken; nothing is written.
    """
    if isinstance(instance, Practice) and created:
        raise ValidationError("A practice is added together with its governed item: use practice_create.")
    if isinstance(instance, Correlation) and isinstance(instance.confidence, float):
        instance.quality = quality_of(instance.confidence)
    instance.full_clean()
    instance.save()
    if isinstance(instance, Practice):
        _record_practice_update(instance)
    record_change(instance=instance, action=ADDED if created else CHANGED, changed_fields=changed_fields)


@explained
@transaction.atomic
def curated_record_delete(*, instance: models.Model, reason: str = "") -> None:
    """Remove a leaf record of the catalogue, such as an indication.

    Raises:
        ValidationError: nobody states a reason.
        ProtectedError: other records rest on it.
    """
    record_change(instance=instance, action=REMOVED, changed_fields=[])
    instance.delete()


@explained
@transaction.atomic
def curated_relations_set(
    *, instance: models.Model, relation: str, members: Iterable[models.Model], reason: str = ""
) -> bool:
    """Make ``members`` the related rows of a many-to-many ``relation``; True where that changed anything.

    Raises:
        ValidationError: nobody states a reason.
    """
    manager = getattr(instance, relation)
    wanted = {member.pk for member in members}
    if set(manager.values_list("pk", flat=True)) == wanted:
        return False
    manager.set(wanted)
    record_change(instance=instance, action=CHANGED, changed_fields=[relation])
    return True


@explained
@transaction.atomic
def correlation_set_status(*, correlation: Correlation, status: ReviewStatus, reason: str = "") -> Correlation:
    """Move a correlation through review. Training takes approved ones.

    Raises:
        ValidationError: nobody states a reason.
        ValidationError: the step is not one of the review, for example approving a rejected correlation directly.
    """
    locked = (
        Correlation.objects.select_for_update(of=("self",))
        .select_related("practice__item__community")
        .get(pk=correlation.pk)
    )
    before = ReviewStatus(locked.status)
    if status not in _NEXT_STATUSES[before]:
        raise ValidationError({"status": f"A correlation in status '{before.value}' cannot become '{status.value}'."})
    locked.status = status.value
    locked.save(update_fields=["status", "updated_at"])
    item = locked.practice.item
    audit.record(
        "correlation.reviewed",
        subjects=[f"correlation:{locked.pk}", item.public_id],
        communities=[item.community.slug],
        details={"from": before.value, "to": status.value},
    )
    return locked


def _record_practice_update(practice: Practice) -> None:
    audit.record(
        "practice.updated",
        subjects=[practice.item.public_id],
        communities=[practice.item.community.slug],
        details={"origin": practice.origin},
    )
