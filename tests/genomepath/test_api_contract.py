"""The API keeps to its own OpenAPI document, whatever it is asked."""

from __future__ import annotations

import pytest

from tests.genomepath.api_contract import ContractRun, run_contract


def assert_kept(run: ContractRun) -> None:
    assert run.faults == []
    assert not any(status >= 500 for status in run.statuses)
    assert run.statuses[200] and run.cases["stateful"] and run.cases["fuzzing"]


def test_answers_keep_to_the_document(served_url, in_service, roomy_key):
    assert_kept(run_contract(served_url, in_service, roomy_key, examples=2, sequences=3))


@pytest.mark.slow
def test_five_thousand_questions_find_no_fault(served_url, in_service, roomy_key):
    run = run_contract(served_url, in_service, roomy_key, examples=300, sequences=300)
    assert_kept(run)
    assert sum(run.cases.values()) >= 5_000
