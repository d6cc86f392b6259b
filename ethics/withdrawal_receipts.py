"""Issuing the receipts of a withdrawal: numbered, hashed, written once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from ethics import audit
from ethics.audit.canonical import canonical_text
from ethics.models import CaseState, ReceiptKind, WithdrawalCase, WithdrawalReceipt
from ethics.withdrawal_receipt import RunningWork, receipt_document

# Any number that no other advisory lock of this database has. Numbers are given one after the other.
_NUMBERS_LOCK = 0x57D4A4


@transaction.atomic
def withdrawal_receipt_issue(*, case: WithdrawalCase, running: Sequence[RunningWork] = ()) -> WithdrawalReceipt | None:
    """Issue the receipt that is due: the first one after the purge, the final one of a completed case, a supplement
    when steps were done after it. None when nothing is due.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBERS_LOCK])
    last = case.receipts.order_by("number").last()
    kind = _due(case, last)
    if kind is None:
        return None
    number = (WithdrawalReceipt.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    issued_at = timezone.now()
    document = canonical_text(
        receipt_document(case=case, kind=kind, number=number, issued_at=issued_at, follows=last, running=running)
    )
    receipt = WithdrawalReceipt.objects.create(
        number=number,
        case=case,
        kind=kind.value,
        follows=last,
        issued_at=issued_at,
        document=document,
        sha256=hashlib.sha256(document.encode()).hexdigest(),
    )
    audit.record(
        "withdrawal.receipt_issued",
        subjects=[case.public_id],
        communities=[case.community.slug],
        details={"number": number, "kind": kind.value, "sha256": receipt.sha256},
    )
    return receipt


def _due(case: WithdrawalCase, last: WithdrawalReceipt | None) -> ReceiptKind | None:
    if last is None:
        return ReceiptKind.PURGE
    if case.state != CaseState.COMPLETED:
        return None
    if last.kind == ReceiptKind.PURGE:
        return ReceiptKind.FINAL
    later = case.steps.filter(done_at__gt=last.issued_at).exists()
    return ReceiptKind.SUPPLEMENT if later else None
