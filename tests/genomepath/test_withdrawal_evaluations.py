"""A withdrawal reaches evaluations: no model that learned from withdrawn items is judged; the receipt waits for the last."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from ethics.models import GovernedItem
from ethics.policy import Basis
from genomepath.artefacts import model_folder
from genomepath.ml import judgement
from genomepath.models import TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.run_execution import run_execute
from genomepath.runs import run_request
from genomepath.withdrawal_processing import withdrawals_process
from tests.factories import make_practice
from tests.genomepath.withdrawal_cases import object_to, retired_version_of, steps

pytestmark = pytest.mark.django_db
REFUSED = "This model version was trained on knowledge that has since been withheld: it is not judged."


def ask_to_judge(version) -> TrainingRun:
    return run_request(
        kind=RunKind.EVALUATION, preset="small", requested_by="engineer", model_version=version, enqueue=False
    )


@pytest.fixture
def judged(monkeypatch) -> list[str]:
    """The hashes of the data on which a model was judged, without judging any."""
    found: list[str] = []

    def judge(snapshot, *_, **__):
        found.append(snapshot.data_sha256)
        raise InterruptedError

    monkeypatch.setattr(judgement, "judge", judge)
    return found


def test_a_model_that_learned_from_withdrawn_items_is_not_judged(evaluated, judged):
    run = ask_to_judge(evaluated.version)
    object_to(evaluated.catalogue.practices[0])

    ended = run_execute(public_id=run.public_id)

    assert (judged, ended.state, ended.message) == ([], "failed", REFUSED)


def test_a_model_that_no_reaction_marked_is_not_judged_either(evaluated, judged):
    """As when a consent ends by the clock: the evaluation itself looks first."""
    item = evaluated.catalogue.practices[0].item
    GovernedItem.objects.filter(pk=item.pk).update(basis=Basis.CONSENT)

    ended = run_execute(public_id=ask_to_judge(evaluated.version).public_id)

    assert (judged, ended.message) == ([], REFUSED)


def test_what_is_withdrawn_while_a_model_is_judged_leaves_no_evaluation(evaluated, monkeypatch):
    target = model_folder(evaluated.version) / "evaluation.json"
    target.unlink()
    judge = judgement.judge

    def withdrawn_amid_it(*arguments, **options):
        result = judge(*arguments, **options)
        object_to(evaluated.catalogue.practices[0])
        return result

    monkeypatch.setattr(judgement, "judge", withdrawn_amid_it)
    run = ask_to_judge(evaluated.version)
    TrainingRun.objects.filter(pk=run.pk).update(
        parameters={"protocols": ["P0"], "workers": 1, "quick_calibration": True}
    )

    ended = run_execute(public_id=run.public_id)

    assert (ended.message, target.exists()) == (REFUSED, False)


def test_an_evaluation_that_waits_is_cancelled_by_the_withdrawal():
    practice = make_practice()
    run = ask_to_judge(retired_version_of(practice))
    case = object_to(practice)

    withdrawals_process()

    run.refresh_from_db()
    case.refresh_from_db()
    assert (run.state, case.state) == ("cancelled", "completed")
    assert ("evaluation.cancelled", f"run {run.public_id}") in steps(case)


def test_the_final_receipt_waits_for_an_evaluation_that_may_still_be_at_work():
    practice, now = make_practice(), timezone.now()
    run = ask_to_judge(retired_version_of(practice))
    TrainingRun.objects.filter(pk=run.pk).update(state="running", started_at=now, heartbeat_at=now, attempt=1)
    case = object_to(practice)
    withdrawals_process()
    case.refresh_from_db()
    (receipt,) = case.receipts.all()
    still_running = [(work["what"], work["where"]) for work in json.loads(receipt.document)["still_running"]]
    assert (case.state, still_running) == ("open", [("work.stopping", f"run {run.public_id}")])

    long_ago = now - timedelta(minutes=5)
    TrainingRun.objects.filter(pk=run.pk).update(finished_at=long_ago, heartbeat_at=long_ago)
    withdrawals_process()

    case.refresh_from_db()
    assert case.state == "completed"


def test_an_evaluation_of_a_model_without_the_items_goes_on():
    run = ask_to_judge(retired_version_of(make_practice()))
    object_to(make_practice())

    withdrawals_process()

    run.refresh_from_db()
    assert run.state == "queued"
