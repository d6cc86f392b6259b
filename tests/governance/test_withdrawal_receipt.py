"""The receipt: read by stewards and officers, and free of knowledge."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER
from ethics.models import WithdrawalCase
from ethics.policy import Purpose
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
        purpose=Purpose.TRAINING,
    )
    item_record_objection(item=practice.item, reference=CANARY, reason=CANARY)
    withdrawals_process()
    return WithdrawalCase.objects.get()


def pages(case: WithdrawalCase) -> list[str]:
    names = ("change", "receipt", "receipt_json", "history")
    return [reverse(f"admin:ethics_withdrawalcase_{name}", args=[case.pk]) for name in names]


@pytest.mark.parametrize("role", [COMPLIANCE_OFFICER, COMMUNITY_STEWARD])
def test_stewards_and_officers_read_and_download_it(role, case, client):
    client.force_login(make_person(role))
    _, page, download, _ = pages(case)

    receipt = client.get(download).json()
    assert (receipt["receipt"], receipt["complete"], receipt["cause"]) == (str(case.public_id), True, "objected")
    assert [entry["recipient"] for entry in receipt["exports"]] == ["Synthetic university"]
    shown = client.get(page).content.decode()
    assert "complete" in shown
    assert str(case.item_public_ids[0]) in shown
    assert "Synthetic university" in shown


@pytest.mark.parametrize("role", [CURATOR, ML_ENGINEER])
def test_nobody_else_reads_it(role, case, client):
    client.force_login(make_person(role))

    assert {client.get(page).status_code for page in pages(case)} == {403}


def test_it_holds_no_knowledge(case, client):
    client.force_login(make_person(COMMUNITY_STEWARD))

    _, page, download, _ = pages(case)
    assert CANARY not in client.get(page).content.decode()
    assert CANARY not in client.get(download).content.decode()
    assert CANARY not in json.dumps(
        [list(case.steps.values("what", "where", "counts", "artefacts", "exports"))], default=str
    )
