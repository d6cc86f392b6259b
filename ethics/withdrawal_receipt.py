"""What a receipt of a withdrawal says: what is finished, where and when, and what still runs. It holds no knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ethics.models import ReceiptKind, WithdrawalCase, WithdrawalReceipt, WithdrawalStep

MEANINGS = {
    "answers.purged": "Stored answers were deleted.",
    "predictions.deleted": "Published predictions about the items were deleted.",
    "model.marked": "A model that learned from the items was marked: it can never be put into service again.",
    "model.quarantined": "That model was shut away, and all its predictions were deleted.",
    "model.left_service": "The deadline passed, and the model was taken out of service.",
    "training.cancelled": "A training that was working on the items was stopped.",
    "evaluation.cancelled": "An evaluation of a model that learned from the items was stopped.",
    "tuning.stopped": "A search for hyperparameters that trained on the items was stopped.",
    "retraining.requested": "A training without the items was asked for.",
    "artefacts.deleted": "Files were deleted; their SHA-256 is listed.",
    "exports.listed": "Exports handed out earlier were looked up; the notices to their recipients are listed.",
    "officers.alerted": "The compliance officers were alerted: no model without the items could take over yet.",
}
RUNNING_MEANINGS = {
    "model.replacing": "The model in service learned from the items. It shows none of them, and is replaced by a model "
    "without them, or leaves service at the deadline; then its files are deleted.",
    "files.waiting": "A training that was stopped may still write files; they are deleted when it has ended.",
    "work.stopping": "An evaluation or a search for hyperparameters was stopped, but its worker has not ended it yet.",
}
SUMMARIES = {
    ReceiptKind.PURGE: "The items are no longer served, and what was made of them is deleted, except what still runs.",
    ReceiptKind.FINAL: "Everything was reached: nothing that was made of the items is left, and nothing still runs.",
    ReceiptKind.SUPPLEMENT: "Something turned up after the final receipt, and was dealt with as well.",
}


@dataclass(frozen=True)
class RunningWork:
    """Something that a withdrawal still waits for, at the latest until ``until``. ``what`` is a ``RUNNING_MEANINGS``."""

    what: str
    where: str
    until: datetime | None = None


def receipt_document(
    *,
    case: WithdrawalCase,
    kind: ReceiptKind,
    number: int,
    issued_at: datetime,
    follows: WithdrawalReceipt | None,
    running: Sequence[RunningWork],
) -> dict[str, Any]:
    """The content of a receipt as the case stands now. Identifiers, counts, hashes and names of recipients only."""
    steps = list(case.steps.filter(done_at__isnull=False))
    return {
        "receipt": number,
        "kind": kind.value,
        "says": SUMMARIES[kind],
        "follows": {"receipt": follows.number, "sha256": follows.sha256} if follows else None,
        "issued_at": _moment(issued_at),
        "case": str(case.public_id),
        "community": {"slug": case.community.slug, "name": case.community.name},
        "cause": case.cause,
        "consent": str(case.consent_public_id) if case.consent_public_id else None,
        "items": [str(public_id) for public_id in case.item_public_ids],
        "not_served_from": _moment(case.opened_at),
        "deadline": _moment(case.deadline_at),
        "completed": _moment(case.completed_at),
        "finished": [_step(step) for step in steps],
        "still_running": [_running(work) for work in running],
        "files_deleted": sum(len(step.artefacts) for step in steps),
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


def _running(work: RunningWork) -> dict[str, Any]:
    return {
        "what": work.what,
        "meaning": RUNNING_MEANINGS[work.what],
        "where": work.where,
        "until": _moment(work.until),
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value is not None else None
