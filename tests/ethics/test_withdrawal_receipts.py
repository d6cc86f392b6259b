"""Receipts are numbered, hashed and written once; the database holds them to it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ethics.models import CaseState, WithdrawalCase, WithdrawalReceipt
from ethics.withdrawal_receipt import RunningWork
from ethics.withdrawal_receipts import withdrawal_receipt_issue
from ethics.withdrawals import withdrawal_advance, withdrawal_step_record
from tests.admin_people import make_receipt, make_withdrawal_case
from tests.factories import make_item

pytestmark = pytest.mark.django_db


def completed(case: WithdrawalCase) -> WithdrawalCase:
    WithdrawalCase.objects.filter(pk=case.pk).update(state="completed", completed_at=timezone.now())
    case.refresh_from_db()
    return case


@pytest.fixture
def case() -> WithdrawalCase:
    return make_withdrawal_case(make_item())


def values_of(receipt: WithdrawalReceipt, **changed: object) -> dict[str, object]:
    """The fields of a further receipt that breaks no rule, but for the changes."""
    document = "{}"
    return {
        "number": receipt.number + 1,
        "case": receipt.case,
        "kind": "final",
        "follows": receipt,
        "issued_at": datetime(2026, 1, 1, tzinfo=UTC),
        "document": document,
        "sha256": hashlib.sha256(document.encode()).hexdigest(),
        **changed,
    }


def test_numbers_count_the_receipts_of_the_platform(case):
    first = make_receipt(case)
    other = make_receipt(make_withdrawal_case(make_item()))
    final = make_receipt(completed(case))

    assert [first.number, other.number, final.number] == [1, 2, 3]


def test_nothing_is_issued_twice(case):
    make_receipt(case)
    assert withdrawal_receipt_issue(case=case, running=[RunningWork("files.waiting", "trainings")]) is None

    make_receipt(completed(case))
    assert withdrawal_receipt_issue(case=case) is None
    assert [receipt.kind for receipt in case.receipts.all()] == ["purge", "final"]


def test_what_turns_up_after_the_final_receipt_gets_a_supplement(case):
    make_receipt(case)
    final = make_receipt(completed(case))
    withdrawal_step_record(case=case, what="model.quarantined", where="model a")

    supplement = make_receipt(case)

    assert (supplement.kind, supplement.follows) == ("supplement", final)
    assert withdrawal_receipt_issue(case=case) is None


def test_a_case_that_was_not_completed_gets_no_final_receipt(case):
    make_receipt(case)
    withdrawal_advance(case=case, state=CaseState.RETRAINING)

    assert withdrawal_receipt_issue(case=case) is None


STATEMENTS = pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ethics_withdrawalreceipt SET document = '{}'",
        "DELETE FROM ethics_withdrawalreceipt",
        "TRUNCATE ethics_withdrawalreceipt CASCADE",
    ],
)


@STATEMENTS
def test_the_application_may_not_change_a_receipt(statement, case):
    make_receipt(case)

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.database_owner
@STATEMENTS
def test_not_even_the_owner_of_the_table_changes_a_receipt(statement, case):
    make_receipt(case)
    connection.check_constraints()  # what waits for the end of the transaction would refuse TRUNCATE by itself

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.database_owner
def test_whoever_sets_the_triggers_of_the_library_aside_changes_no_receipt_either(case):
    make_receipt(case)

    with pgtrigger.ignore(), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        WithdrawalReceipt.objects.update(document="{}")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"sha256": "0" * 64}, "receipt_sha256_is_that_of_text"),
        ({"number": 0, "kind": "purge", "follows": None}, "receipt_number_from_one"),
        ({"number": 1, "kind": "purge", "follows": None}, "number"),
        ({"kind": "draft"}, "receipt_kind_is_known"),
        ({"follows": None}, "receipt_chain_begins_with_the_purge"),
        ({"kind": "purge"}, "receipt_chain_begins_with_the_purge"),
        ({"kind": "purge", "follows": None}, "receipt_once_of_each_kind"),
    ],
    ids=str,
)
def test_the_database_refuses_a_receipt_that_breaks_a_rule(changed, rule, case):
    receipt = make_receipt(case)

    with pytest.raises(DatabaseError, match=rule), transaction.atomic():
        WithdrawalReceipt.objects.create(**values_of(receipt, **changed))


def test_a_receipt_follows_one_of_the_same_case_and_no_chain_forks(case):
    receipt = make_receipt(case)
    other = make_withdrawal_case(make_item())
    with pytest.raises(DatabaseError, match="same case"), transaction.atomic():
        WithdrawalReceipt.objects.create(**values_of(receipt, case=other))

    WithdrawalReceipt.objects.create(**values_of(receipt))
    with pytest.raises(DatabaseError, match="follows"), transaction.atomic():
        WithdrawalReceipt.objects.create(**values_of(receipt, number=9, kind="supplement"))
