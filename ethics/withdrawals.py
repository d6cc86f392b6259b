"""Services of withdrawal cases: opened in the deciding transaction, advanced step by step, completed with a receipt.

What a step does lies with the app that owns the store it acts on; here is written that it was done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.models import CaseState, Consent, GovernedItem, WithdrawalCase, WithdrawalCause, WithdrawalStep

OFFICERS_ALERTED = "officers.alerted"
"""The step that calls the officers."""
_REASON_LENGTH = 300


@transaction.atomic
def withdrawal_open(
    *, public_ids: Collection[UUID], cause: WithdrawalCause, consent: Consent | None = None
) -> list[WithdrawalCase]:
    """Open a case for each community whose items just left use, in the transaction of the decision."""
    by_community: dict[int, list[GovernedItem]] = defaultdict(list)
    for item in GovernedItem.objects.filter(public_id__in=public_ids).select_related("community").order_by("public_id"):
        by_community[item.community_id].append(item)
    now = timezone.now()
    cases = []
    for community_id, items in sorted(by_community.items()):
        case = WithdrawalCase.objects.create(
            community_id=community_id,
            cause=cause.value,
            consent_public_id=consent.public_id if consent else None,
            item_public_ids=[item.public_id for item in items],
            opened_at=now,
            deadline_at=now + timedelta(hours=settings.WITHDRAWAL_DEADLINE_HOURS),
        )
        audit.record(
            "withdrawal.opened",
            subjects=[case.public_id, *case.item_public_ids],
            communities=[items[0].community.slug],
            details={"cause": cause.value},
        )
        cases.append(case)
    return cases


@transaction.atomic
def withdrawal_step_begin(
    *, case: WithdrawalCase, what: str, where: str, artefacts: Sequence[Mapping[str, str]]
) -> WithdrawalStep:
    """Note the files that are about to be deleted. Files that turn up later at the same place are added.

    The event follows with the end of the step: a crash in between leaves a step that is begun again, hashes in hand.
    """
    _lock(case)
    step, _ = WithdrawalStep.objects.get_or_create(case=case, what=what, where=where)
    known = {(entry["path"], entry["sha256"]) for entry in step.artefacts}
    step.artefacts = [
        *step.artefacts,
        *(dict(entry) for entry in artefacts if (entry["path"], entry["sha256"]) not in known),
    ]
    step.done_at = None
    step.save(update_fields=["artefacts", "done_at"])
    return step


@transaction.atomic
def withdrawal_step_record(
    *,
    case: WithdrawalCase,
    what: str,
    where: str,
    counts: Mapping[str, int] | None = None,
    artefacts: Sequence[Mapping[str, str]] | None = None,
    exports: Sequence[Mapping[str, Any]] = (),
) -> WithdrawalStep:
    """Note that a step is done, once: done again it changes nothing and records no second event."""
    _lock(case)
    step, _ = WithdrawalStep.objects.get_or_create(case=case, what=what, where=where)
    if step.done_at is not None:
        return step
    step.counts, step.exports = dict(counts or {}), [dict(entry) for entry in exports]
    if artefacts is not None:
        step.artefacts = [dict(entry) for entry in artefacts]
    step.done_at = timezone.now()
    step.save()
    audit.record(
        "withdrawal.step",
        subjects=[case.public_id],
        communities=[case.community.slug],
        details={"what": what, "where": where, "files": len(step.artefacts), "exports": len(step.exports)},
    )
    return step


@transaction.atomic
def withdrawal_alert(*, case: WithdrawalCase, where: str, reason: str) -> None:
    """Tell the officers, once for each place, that a model without the items could not take over."""
    _lock(case)
    step, created = WithdrawalStep.objects.get_or_create(case=case, what=OFFICERS_ALERTED, where=where)
    if not created:
        return
    step.done_at = timezone.now()
    step.save(update_fields=["done_at"])
    audit.record(
        "withdrawal.alerted",
        subjects=[case.public_id],
        communities=[case.community.slug],
        reason=reason[:_REASON_LENGTH],
    )


@transaction.atomic
def withdrawal_advance(*, case: WithdrawalCase, state: CaseState) -> WithdrawalCase:
    """Move a case on. A completed case stays completed; the same state again is no change."""
    locked = _lock(case)
    if locked.state not in {state, CaseState.COMPLETED}:
        locked.state = state.value
        locked.completed_at = timezone.now() if state == CaseState.COMPLETED else None
        locked.save(update_fields=["state", "completed_at"])
        audit.record(
            "withdrawal.completed" if state == CaseState.COMPLETED else "withdrawal.advanced",
            subjects=[locked.public_id],
            communities=[locked.community.slug],
            details={"state": state.value, "steps": locked.steps.count()},
        )
    case.refresh_from_db()
    return case


def step_done(case: WithdrawalCase, what: str, where: str) -> bool:
    """Whether the step was finished."""
    return WithdrawalStep.objects.filter(case=case, what=what, where=where, done_at__isnull=False).exists()


def _lock(case: WithdrawalCase) -> WithdrawalCase:
    return WithdrawalCase.objects.select_for_update(of=("self",)).select_related("community").get(pk=case.pk)
