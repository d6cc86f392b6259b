"""What a withdrawal still waits for after its purge: the replacing of the model in service, and files still to come."""

from __future__ import annotations

from ethics.models import WithdrawalCase
from ethics.withdrawal_receipt import RunningWork
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind, RunState
from genomepath.withdrawal_artefacts import concerned_folders, concerned_snapshots, concerned_versions


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
    return running


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
