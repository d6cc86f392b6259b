"""In whatever order consents, labels, statuses, objections, imports, trainings, time and questions come, nothing leaks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from correlations.models import Correlation, Practice
from ethics.policy import Decision, Reason, SacredStatus
from ethics.querysets import GovernedItemQuerySet
from genomepath.answer_cache import answer_key
from tests.governance.policy_machine import PolicyMachine
from tests.governance.training_machine import TrainingMachine

pytestmark = pytest.mark.django_db
ALLOWED = Decision(True, Reason.DOCUMENTED)


def _settings(examples: int, steps: int, **more) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        **more,
    )


@pytest.fixture(autouse=True)
def no_rate_limit(settings) -> None:
    """Every step asks dozens of times within the same minute."""
    settings.API_REQUESTS_PER_MINUTE = settings.API_REQUESTS_PER_DAY = 10**9


def test_no_sequence_of_governance_and_questions_leaks() -> None:
    run_state_machine_as_test(PolicyMachine, settings=_settings(4, 10, derandomize=True))


def test_no_sequence_of_governance_trainings_and_questions_leaks() -> None:
    run_state_machine_as_test(TrainingMachine, settings=_settings(2, 10, derandomize=True))


@pytest.mark.slow
def test_no_long_sequence_of_governance_trainings_and_questions_leaks() -> None:
    run_state_machine_as_test(TrainingMachine, settings=_settings(60, 30))


class StaleCacheMachine(PolicyMachine):
    """Serves whatever was cached first, whatever the policy revision has become since."""

    @staticmethod
    def leaks():
        def key(*parts: str) -> str:
            return answer_key(*parts[:2], "any revision", *parts[3:])

        return [mock.patch("genomepath.serving.answer_key", key)]


class OpenGateMachine(PolicyMachine):
    """Asks nobody: neither the querysets nor the attribution, each of which alone would stop a leak."""

    @staticmethod
    def leaks():
        return [
            mock.patch.object(
                GovernedItemQuerySet, "permitted_for", lambda items, purpose, audience, now=None: items.filter()
            ),
            mock.patch("ethics.attribution.decide", lambda facts, purpose, audience, now: ALLOWED),
        ]


def _asking_nobody(model: Any) -> SimpleNamespace:
    return SimpleNamespace(objects=SimpleNamespace(permitted_for=lambda *asked: model.objects.all()))


class OpenSnapshotMachine(TrainingMachine):
    """Takes snapshots of all there is."""

    @staticmethod
    def leaks():
        return [
            mock.patch(f"genomepath.snapshots.{model.__name__}", _asking_nobody(model))
            for model in (Practice, Correlation)
        ]


class ForgivingRegistryMachine(TrainingMachine):
    """Puts models back into service whatever they learned from: no marks, no refusal to judge, no scan by the gate, each of
    which alone would stop it.
    """

    @staticmethod
    def leaks():
        return [
            mock.patch("genomepath.registry._refuse_unfit", lambda version: None),
            mock.patch("genomepath.work._refuse_marked", lambda version: None),
            mock.patch("genomepath.version_checks.scan_folders", lambda folders: []),
        ]


class KeptFilesMachine(TrainingMachine):
    """Carries withdrawals through, but leaves the files."""

    @staticmethod
    def leaks():
        return [mock.patch("genomepath.withdrawal_processing.folders_delete", lambda case: 0)]


@pytest.mark.parametrize("machine", [StaleCacheMachine, OpenGateMachine, OpenSnapshotMachine])
def test_the_machine_finds_a_leak_that_is_there(machine: type[PolicyMachine]) -> None:
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(
            machine, settings=_settings(20, 8, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
        )


@pytest.mark.slow
def test_the_machine_finds_files_that_stay() -> None:
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(
            KeptFilesMachine,
            settings=_settings(60, 25, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False),
        )


@pytest.mark.parametrize("machine", [TrainingMachine, ForgivingRegistryMachine])
def test_the_machine_finds_a_model_that_must_not_come_into_service(machine: type[TrainingMachine]) -> None:
    """Driven by hand: between training and promotion the one practice that may be used becomes sacred."""
    run = machine()
    try:
        run.train(seed=0)
        run.raise_status(place=0, status=SacredStatus.SACRED)
        if machine is TrainingMachine:
            run.judge_and_promote()
        else:
            with pytest.raises(AssertionError):
                run.judge_and_promote()
    finally:
        run.teardown()
