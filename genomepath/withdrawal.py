"""What the model registry does when governed items leave use."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ethics import audit
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose
from genomepath.models import ModelVersion


def mark_models_of_withheld_items(public_ids: Collection[UUID]) -> None:
    """Mark every model version trained on an item that may not be trained on any more: it can't be promoted now."""
    concerned = versions_trained_on(withheld_from_training(public_ids))
    _mark(concerned.select_for_update().order_by("pk").filter(marked_at__isnull=True))


def withheld_from_training(public_ids: Collection[UUID]) -> set[UUID]:
    """Those of the items that the policy does not allow for training now."""
    permitted = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM)
    return set(public_ids).difference(permitted.filter(public_id__in=public_ids).values_list("public_id", flat=True))


def versions_trained_on(public_ids: Collection[UUID]) -> QuerySet[ModelVersion]:
    """The model versions with at least one of the items in their snapshot."""
    return ModelVersion.objects.filter(trained_on__overlap=list(public_ids))


@transaction.atomic
def models_mark_withheld() -> int:
    """Mark the model versions trained on an item that may not be trained on any more; returns how many.

    A consent that ends by the clock, or rows changed past the services, run no reaction: this finds what they left.
    """
    permitted = set(
        GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM).values_list("public_id", flat=True)
    )
    unmarked = ModelVersion.objects.select_for_update().order_by("pk").filter(marked_at__isnull=True)
    return _mark(version for version in unmarked if not permitted.issuperset(version.trained_on))


def _mark(versions: Iterable[ModelVersion]) -> int:
    count = 0
    for version in versions:
        version.marked_at = timezone.now()
        version.save(update_fields=["marked_at"])
        audit.record("model.marked", subjects=[version.sha256], model_sha256=version.sha256)
        count += 1
    return count
