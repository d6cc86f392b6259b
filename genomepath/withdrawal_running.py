"""What a withdrawal still waits for after its purge: the replacing of the model in service, files still to come, and work
that was stopped but may not have noticed yet.
"""

from __future__ import annotations

from ethics.models import WithdrawalCase
from ethics.withdrawal_receipt import RunningWork
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind, RunState
from genomepath.withdrawal_artefacts import (
    concerned_folders,
    concerned_snapshots,
    concerned_versions,
    may_still_work,
)
from genomepath.withdrawal_tuning import studies_at_work, study_name


def concerned_active(case: WithdrawalCase) -> ModelVersion | None:
    """The model in service, if it was trained on the items and these may not be trained on any more."""
    return concerned_versions(case).filter(state=VersionState.ACTIVE.value).first()


def running_work(case: WithdrawalCase) -> list[RunningWork]:
    """What is not done yet, as a receipt names it; empty when the case can be completed."""
    active = concerned_active(case)
    running = []
    if active is not None:
        running.append(RunningWork("model.replacing", f"model {active.sha256}", case.deadline_at))
    if any(folder.path.is_dir() for folder in concerned_folders(case)) or _files_may_come(case, active):
        running.append(RunningWork("files.waiting", "trainings"))
    running += [RunningWork("work.stopping", study_name(study)) for study in studies_at_work(case)]
    return running + [RunningWork("work.stopping", f"run {run.public_id}") for run in _evaluations_at_work(case)]


def _evaluations_at_work(case: WithdrawalCase) -> list[TrainingRun]:
    runs = TrainingRun.objects.filter(kind=RunKind.EVALUATION.value, state=RunState.CANCELLED.value)
    return [run for run in runs.filter(model_version__in=concerned_versions(case)) if may_still_work(run)]


def _files_may_come(case: WithdrawalCase, active: ModelVersion | None) -> bool:
    """Whether a training that took its snapshot before the decision has files, or may still write some.

    The snapshot of the model in service waits for that model, and is no sign of a training.
    """
    unsaid = TrainingRun.objects.filter(
        kind=RunKind.TRAINING.value,
        state__in=[RunState.RUNNING.value, RunState.LOST.value],
        data_sha256="",
        started_at__lte=case.opened_at,
    )
    others = concerned_snapshots(case).keys() - ({active.data_sha256} if active else set())
    return bool(others) or unsaid.exists()
