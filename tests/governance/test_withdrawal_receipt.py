"""The receipt: read by stewards and officers, and free of knowledge."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.urls import reverse

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER
from ethics.models import AuditEvent, WithdrawalCase
from ethics.policy import Audience
from ethics.stewardship import item_record_objection
from genomepath.export_records import export_record_add
from genomepath.withdrawal_processing import withdrawals_process
from tests.admin_people import make_person
from tests.factories import make_practice

pytestmark = pytest.mark.django_db
CANARY = "canary-77ab-what-the-practice-is"


@pytest.fixture
def case() -> WithdrawalCase:
    practice = make_practice(title=CANARY, slug=CANARY, preparation=CANARY)
    export_record_add(
        what="training set",
        recipient="Synthetic university",
        data_sha256="d" * 64,
        item_public_ids=[practice.item.public_id],
        audiences=[Audience.RESEARCH],
    )
    item_record_objection(item=practice.item, reference=CANARY, reason=CANARY)
    withdrawals_process()
    return WithdrawalCase.objects.get()


def pages(case: WithdrawalCase) -> list[str]:
    names = ("change", "receipt", "receipt_json", "history")
    return [reverse(f"admin:ethics_withdrawalcase_{name}", args=[case.pk]) for name in names]


def pages_of_receipts(case: WithdrawalCase) -> list[str]:
    names = ("change", "document", "history")
    return [
        reverse(f"admin:ethics_withdrawalreceipt_{name}", args=[receipt.pk])
        for receipt in case.receipts.all()
        for name in names
    ]


@pytest.mark.parametrize("role", [COMPLIANCE_OFFICER, COMMUNITY_STEWARD])
def test_stewards_and_officers_read_and_download_it(role, case, client):
    client.force_login(make_person(role))
    _, page, download, _ = pages(case)

    told = client.get(download).json()
    assert (told["case"], told["complete"]) == (str(case.public_id), True)
    documents = [entry["document"] for entry in told["receipts"]]
    assert [document["kind"] for document in documents] == ["purge", "final"]
    assert [document["cause"] for document in documents] == ["objected"] * 2
    assert [entry["recipient"] for entry in documents[0]["exports"]] == ["Synthetic university"]
    shown = client.get(page).content.decode()
    assert [f"Receipt {document['receipt']} ({document['kind']})" in shown for document in documents] == [True] * 2
    assert str(case.item_public_ids[0]) in shown
    assert "Synthetic university" in shown


def test_a_receipt_is_handed_out_byte_by_byte_as_it_was_hashed(case, client):
    client.force_login(make_person(COMMUNITY_STEWARD))
    receipt = case.receipts.last()

    content = client.get(reverse("admin:ethics_withdrawalreceipt_document", args=[receipt.pk])).content

    assert hashlib.sha256(content).hexdigest() == receipt.sha256
    issued = AuditEvent.objects.get(event_type="withdrawal.receipt_issued", details__kind="final")
    assert issued.details == {"number": receipt.number, "kind": "final", "sha256": receipt.sha256}


@pytest.mark.parametrize("role", [CURATOR, ML_ENGINEER])
def test_nobody_else_reads_it(role, case, client):
    client.force_login(make_person(role))

    assert {client.get(page).status_code for page in [*pages(case), *pages_of_receipts(case)]} == {403}


def test_it_holds_no_knowledge(case, client):
    client.force_login(make_person(COMMUNITY_STEWARD))

    for page in [*pages(case), *pages_of_receipts(case)]:
        assert CANARY not in client.get(page).content.decode()
    assert CANARY not in json.dumps(
        [list(case.steps.values("what", "where", "counts", "artefacts", "exports"))], default=str
    )
