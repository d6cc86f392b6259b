"""Receipts of withdrawals: documents that are written once and never changed."""

from __future__ import annotations

from enum import StrEnum

import pgtrigger
from django.db import models
from django.db.models import F, Func, Q, Value

from ethics.models.choices import choices_of
from ethics.models.withdrawal import WithdrawalCase


class ReceiptKind(StrEnum):
    """``PURGE``: what was made of the items is gone, the rest is named with its deadline. ``FINAL``: nothing is left to do.

    ``SUPPLEMENT``: something turned up after the final receipt, such as a model that a worker registered late.
    """

    PURGE = "purge"
    FINAL = "final"
    SUPPLEMENT = "supplement"


def _sha256_of(field: str) -> Func:
    as_bytes = Func(F(field), Value("UTF8"), function="convert_to", output_field=models.BinaryField())
    digest = Func(as_bytes, function="sha256", output_field=models.BinaryField())
    return Func(digest, Value("hex"), function="encode", output_field=models.CharField())


class WithdrawalReceipt(models.Model):
    """One receipt. ``document`` is its canonical JSON (RFC 8785), ``sha256`` the hash of these bytes.

    Guarded like the log: a migration puts ``ethics_append_only`` on the table, so that nobody changes a row.
    ``number`` counts the receipts of the whole platform from one without a gap; the receipts of a case are a chain.
    """

    number = models.PositiveBigIntegerField(unique=True)
    case = models.ForeignKey(WithdrawalCase, on_delete=models.PROTECT, related_name="receipts")
    kind = models.CharField(max_length=12, choices=choices_of(ReceiptKind))
    follows = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followed_by",
        help_text="The receipt of the same case before this one.",
    )  # fmt: skip
    issued_at = models.DateTimeField()
    document = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="receipt_number_from_one"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in ReceiptKind]), name="receipt_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=ReceiptKind.PURGE.value, follows__isnull=True)
                | ~Q(kind=ReceiptKind.PURGE.value) & Q(follows__isnull=False),
                name="receipt_chain_begins_with_the_purge",
            ),
            models.CheckConstraint(condition=Q(sha256=_sha256_of("document")), name="receipt_sha256_is_that_of_text"),
            models.UniqueConstraint(
                fields=["case", "kind"],
                condition=~Q(kind=ReceiptKind.SUPPLEMENT.value),
                name="receipt_once_of_each_kind",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="same_case",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__follows__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM ethics_withdrawalreceipt
                        WHERE id = NEW.follows_id AND case_id = NEW.case_id AND number < NEW.number
                    ) THEN
                        RAISE EXCEPTION 'a receipt follows an earlier one of the same case'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"receipt {self.number}"
