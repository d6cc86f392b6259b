"""The receipt of a withdrawal: what was done, where and when, readable by the community. It holds no knowledge."""

from __future__ import annotations

from typing import Any

from ethics.models import CaseState, WithdrawalCase, WithdrawalStep

MEANINGS = {
    "answers.purged": "Stored answers were deleted.",
    "predictions.deleted": "Published predictions about the items were deleted.",
    "model.marked": "A model that learned from the items was marked: it can never be put into service again.",
    "model.quarantined": "That model was shut away, and all its predictions were deleted.",
    "model.left_service": "The deadline passed, and the model was taken out of service.",
    "training.cancelled": "A training that was working on the items was stopped.",
    "retraining.requested": "A training without the items was asked for.",
    "artefacts.deleted": "Files were deleted; their SHA-256 is listed.",
    "exports.listed": "Exports handed out earlier were looked up; the notices to their recipients are listed.",
    "officers.alerted": "The compliance officers were alerted: no model without the items could take over yet.",
}


def withdrawal_receipt(case: WithdrawalCase) -> dict[str, Any]:
    """The receipt as it stands now; ``complete`` once everything was reached. Identifiers, counts and hashes only."""
    steps = list(case.steps.all())
    return {
        "receipt": str(case.public_id),
        "complete": case.state == CaseState.COMPLETED,
        "state": case.state,
        "community": {"slug": case.community.slug, "name": case.community.name},
        "cause": case.cause,
        "consent": str(case.consent_public_id) if case.consent_public_id else None,
        "items": [str(public_id) for public_id in case.item_public_ids],
        "not_served_from": _moment(case.opened_at),
        "deadline": _moment(case.deadline_at),
        "completed": _moment(case.completed_at),
        "steps": [_step(step) for step in steps],
        "files_deleted": sum(len(step.artefacts) for step in steps if step.done_at is not None),
        "exports": [entry for step in steps for entry in step.exports],
    }


def _step(step: WithdrawalStep) -> dict[str, Any]:
    return {
        "what": step.what,
        "meaning": MEANINGS.get(step.what, ""),
        "where": step.where,
        "when": _moment(step.done_at),
        "counts": step.counts,
        "files": step.artefacts,
    }


def _moment(value: Any) -> str | None:
    return value.isoformat(timespec="seconds") if value is not None else None
