"""Services that lower a sacred status. It takes two people: a maker who proposes, and a checker who decides."""

from __future__ import annotations

from typing import NoReturn

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from ethics import audit
from ethics.community_stewards import refuse_foreign_community
from ethics.models import GovernedItem, LoweringState, StatusLoweringRequest
from ethics.models.status_lowering import STRICTNESS
from ethics.policy import SacredStatus
from ethics.reasons import REASON_LENGTH, change_reason


@transaction.atomic
def status_lowering_propose(
    *, item: GovernedItem, to_status: SacredStatus, reason: str, proposed_by: str
) -> StatusLoweringRequest:
    """Propose that an item be less protected. Nothing changes before another person confirms.

    Raises:
        ValidationError: no reason or nobody who proposes, a status that is not lower, or an open proposal for the item.
    """
    locked = GovernedItem.objects.select_for_update(of=("self",)).select_related("community").get(pk=item.pk)
    refuse_foreign_community(locked.community_id)
    before = SacredStatus(locked.sacred_status)
    if STRICTNESS.index(to_status) >= STRICTNESS.index(before):
        _refuse("to_status", f"The status is {before.value}: choose a lower one.")
    if not reason.strip():
        _refuse("reason", "Say why the status should be lowered.")
    if not proposed_by:
        _refuse("proposed_by", "Say who proposes it.")
    if locked.lowering_requests.filter(state=LoweringState.OPEN.value).exists():
        _refuse("to_status", "A proposal for this item waits for its decision already.")
    request = StatusLoweringRequest(
        item=locked,
        from_status=before.value,
        to_status=to_status.value,
        reason=reason.strip(),
        proposed_by=proposed_by,
        proposed_at=timezone.now(),
    )
    request.full_clean()
    request.save()
    _record("item.lowering_proposed", request, request.reason)
    return request


@transaction.atomic
def status_lowering_confirm(*, request: StatusLoweringRequest, decided_by: str) -> StatusLoweringRequest:
    """Lower the status as another person proposed, for the reason that the proposal gives.

    Protected names stay; a basis and a label are to be recorded anew.

    Raises:
        ValidationError: the maker decides, the request was decided already, or the status changed since it was made.
    """
    locked = _open_for(request, decided_by)
    item = GovernedItem.objects.select_for_update(of=("self",)).select_related("community").get(pk=locked.item_id)
    if item.sacred_status != locked.from_status:
        _refuse("state", f"The status is {item.sacred_status} by now: reject this proposal and make a new one.")
    item.sacred_status = locked.to_status
    item.full_clean()
    with change_reason(locked.reason[:REASON_LENGTH]):
        item.save()
        _decide(locked, LoweringState.CONFIRMED, decided_by)
        _record("item.lowering_confirmed", locked)
        audit.record(
            "item.status_changed",
            subjects=[item.public_id],
            communities=[item.community.slug],
            details={"from": locked.from_status, "to": locked.to_status},
        )
    return locked


@transaction.atomic
def status_lowering_reject(*, request: StatusLoweringRequest, decided_by: str, reason: str) -> StatusLoweringRequest:
    """Leave the status as it is, with a reason.

    Raises:
        ValidationError: no reason, the maker decides, or the request was decided already.
    """
    if not reason.strip():
        _refuse("reason", "Say why the status stays as it is.")
    locked = _open_for(request, decided_by)
    _decide(locked, LoweringState.REJECTED, decided_by, reason.strip()[:300])
    _record("item.lowering_rejected", locked, locked.decision_reason)
    return locked


def _open_for(request: StatusLoweringRequest, decided_by: str) -> StatusLoweringRequest:
    """The request under its lock, where this person may decide on it."""
    locked = StatusLoweringRequest.objects.select_for_update(of=("self",)).select_related("item__community")
    found = locked.get(pk=request.pk)
    refuse_foreign_community(found.item.community_id)
    if found.state != LoweringState.OPEN:
        _refuse("state", f"This proposal was {found.state} already.")
    if not decided_by or decided_by == found.proposed_by:
        _refuse("decided_by", "Another person than the one who proposed it has to decide.")
    return found


def _decide(request: StatusLoweringRequest, state: LoweringState, decided_by: str, reason: str = "") -> None:
    request.state, request.decided_by, request.decision_reason = state.value, decided_by, reason
    request.decided_at = timezone.now()
    request.full_clean()
    request.save()


def _record(event_type: str, request: StatusLoweringRequest, reason: str = "") -> None:
    audit.record(
        event_type,
        subjects=[request.item.public_id, request.public_id],
        communities=[request.item.community.slug],
        reason=reason,
        details={"from": request.from_status, "to": request.to_status},
    )


def _refuse(field: str, message: str) -> NoReturn:
    raise ValidationError({field: message})
