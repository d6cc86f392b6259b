"""A model without the withdrawn items: asked for, judged, promoted through the gate, and what to do when that fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ethics.models import WithdrawalCase, WithdrawalStep
from ethics.withdrawals import withdrawal_step_record
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.training_run import RunKind, RunState
from genomepath.runs import run_cancel, run_request
from genomepath.withdrawal_artefacts import concerned_snapshots, concerned_versions

REQUESTED = "retraining.requested"
CANCELLED = "training.cancelled"
EVALUATION_CANCELLED = "evaluation.cancelled"
REQUESTER = "withdrawal"
_WAITING = (RunState.QUEUED.value, RunState.RUNNING.value, RunState.LOST.value)


class Outlook(StrEnum):
    """``NEEDED``: nobody works on a model without the items yet. ``REFUSED``: the last attempt did not reach service."""

    NEEDED = "needed"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True)
class Retraining:
    """How the replacement of a model in service stands; ``reason`` says in one line why it was refused."""

    outlook: Outlook
    run: TrainingRun | None = None
    reason: str = ""


def retraining_of(active: ModelVersion) -> Retraining:
    """The newest attempt to replace a model in service that was trained on withdrawn items."""
    run = (
        TrainingRun.objects.filter(parameters__retrains=active.sha256, kind=RunKind.TRAINING.value)
        .order_by("pk")
        .last()
    )
    if run is None:
        return Retraining(Outlook.NEEDED)
    if run.state in _WAITING:
        return Retraining(Outlook.PENDING, run)
    if run.state == RunState.CANCELLED and WithdrawalStep.objects.filter(what=CANCELLED, where=_name(run)).exists():
        return Retraining(Outlook.NEEDED)
    if run.state != RunState.SUCCEEDED or run.model_version is None:
        return Retraining(Outlook.REFUSED, run, f"The retraining {run.state}: {run.message}")
    if run.model_version.marked_at is not None:
        return Retraining(Outlook.NEEDED)
    return _judgement(run, run.model_version)


def _judgement(run: TrainingRun, version: ModelVersion) -> Retraining:
    evaluation = version.runs.filter(kind=RunKind.EVALUATION.value, pk__gt=run.pk).order_by("pk").last()
    if evaluation is None or evaluation.state in _WAITING:
        return Retraining(Outlook.PENDING, run)
    if evaluation.state != RunState.SUCCEEDED:
        return Retraining(Outlook.REFUSED, run, f"The evaluation {evaluation.state}: {evaluation.message}")
    failed = [rule["name"] for rule in version.gate.get("rules", []) if not rule["passed"]]
    return Retraining(
        Outlook.REFUSED, run, f"The gate refuses the retrained model: {', '.join(failed) or 'see the run'}"
    )


@transaction.atomic
def retraining_request(*, case: WithdrawalCase, active: ModelVersion) -> TrainingRun:
    """Ask for a training as that of the model in service, on what may be trained on now, to be judged and promoted.

    Two cases that ask at once share one run.
    """
    ModelVersion.objects.select_for_update().get(pk=active.pk)
    known = retraining_of(active)
    run = known.run if known.outlook == Outlook.PENDING else None
    if run is None:
        run = run_request(
            kind=RunKind.TRAINING,
            preset=active.preset,
            seed=active.seed,
            include_drafts=active.include_drafts,
            parameters={
                **_parameters_of(active),
                "then_evaluate": True,
                "then_promote": True,
                "retrains": active.sha256,
            },
            requested_by=REQUESTER,
        )
    withdrawal_step_record(case=case, what=REQUESTED, where=_name(run))
    return run


def trainings_cancel(case: WithdrawalCase) -> int:
    """Cancel every training that works on a snapshot with an item of the case; returns how many."""
    runs = TrainingRun.objects.filter(kind=RunKind.TRAINING.value, data_sha256__in=list(concerned_snapshots(case)))
    return _cancel(case, runs, CANCELLED)


def evaluations_cancel(case: WithdrawalCase) -> int:
    """Cancel every evaluation of a marked version that was trained on an item of the case; returns how many."""
    runs = TrainingRun.objects.filter(kind=RunKind.EVALUATION.value, model_version__in=concerned_versions(case))
    return _cancel(case, runs, EVALUATION_CANCELLED)


def _cancel(case: WithdrawalCase, runs: QuerySet[TrainingRun], what: str) -> int:
    waiting = list(runs.filter(state__in=_WAITING))
    for run in waiting:
        with transaction.atomic():
            run_cancel(run=run)
            withdrawal_step_record(case=case, what=what, where=_name(run))
    return len(waiting)


def _parameters_of(active: ModelVersion) -> dict[str, Any]:
    """Hyperparameters and protocols of the runs that made and judged the model in service."""
    parameters: dict[str, Any] = {}
    for kind, names in (
        (RunKind.TRAINING, ("hyperparameters",)),
        (RunKind.EVALUATION, ("protocols", "seeds", "workers")),
    ):
        run = active.runs.filter(kind=kind.value, state=RunState.SUCCEEDED.value).order_by("pk").last()
        parameters |= {name: run.parameters[name] for name in names if run is not None and name in run.parameters}
    return parameters


def _name(run: TrainingRun) -> str:
    return f"run {run.public_id}"
