"""Files that hold what was learned from withdrawn items: which they are, and their deletion with the SHA-256 of each.

What is concerned is found by content: a version by the items in its snapshot, a snapshot folder by the practices it lists,
the folder of an unfinished training by the snapshot it read. The model in service keeps its files until it is replaced.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.db.models import QuerySet
from django.utils import timezone

from correlations.models import Practice
from ethics.models import WithdrawalCase
from ethics.withdrawals import withdrawal_step_begin, withdrawal_step_record
from genomepath.artefacts import artefact_root, model_folder
from genomepath.models import ModelVersion, TrainingRun
from genomepath.models.model_version import VersionState
from genomepath.models.training_run import RunKind, RunState
from genomepath.runs import heartbeat_limit
from genomepath.withdrawal import versions_trained_on, withheld_from_training

DELETED = "artefacts.deleted"
_AT_WORK = (RunState.QUEUED.value, RunState.RUNNING.value, RunState.LOST.value)


@dataclass(frozen=True)
class ConcernedFolder:
    """A folder below the artefact root, and the name under which the receipt lists it."""

    where: str
    path: Path


def concerned_versions(case: WithdrawalCase) -> QuerySet[ModelVersion]:
    """The marked model versions that were trained on an item of the case which is still withheld."""
    return versions_trained_on(withheld_from_training(case.item_public_ids)).filter(marked_at__isnull=False)


def concerned_snapshots(case: WithdrawalCase) -> dict[str, Path]:
    """The snapshot folders with a practice of the case that is still withheld, by name; unfinished ones as well."""
    items = withheld_from_training(case.item_public_ids)
    slugs = set(Practice.objects.filter(item__public_id__in=items).values_list("slug", flat=True))
    found = {}
    for listing in (artefact_root() / "snapshots").glob("*/practices.jsonl"):
        if slugs and _may_list(listing, slugs):
            found[listing.parent.name] = listing.parent
    return found


def concerned_folders(case: WithdrawalCase) -> list[ConcernedFolder]:
    """Every folder that may go now, in the order of deletion: a snapshot last, because it tells which runs read it."""
    versions = list(concerned_versions(case))
    serving = {path for version in versions if version.state == VersionState.ACTIVE for path in _folders_of(version)}
    snapshots = concerned_snapshots(case)
    folders = [
        ConcernedFolder(f"model {version.sha256}", path) for version in versions for path in _folders_of(version)[:1]
    ]
    busy: set[Path] = set()
    owned = {artefact_root() / folder for folder in ModelVersion.objects.values_list("folder", flat=True)}
    for run in TrainingRun.objects.filter(kind=RunKind.TRAINING.value, data_sha256__in=list(snapshots)):
        paths = _folders_of_run(run)
        if run.state in _AT_WORK or may_still_work(run):
            busy |= {*paths, snapshots[run.data_sha256]}
        else:
            left = [path for path in paths if path not in owned]
            folders += [ConcernedFolder(f"run {path.name.removeprefix('run-')}", path) for path in left]
    folders += [ConcernedFolder(f"snapshot {name}", path) for name, path in sorted(snapshots.items())]
    return [folder for folder in folders if folder.path not in serving | busy and _is_below_root(folder.path)]


def folders_delete(case: WithdrawalCase) -> int:
    """Delete what may go; returns the number of folders. The hashes are stored before the first file goes.

    Cut off anywhere, it goes on the next time from the stored list, whatever is left of the folder.
    """
    present = [folder for folder in concerned_folders(case) if folder.path.is_dir()]
    for folder in present:
        artefacts = file_hashes(folder.path)
        if artefacts:
            withdrawal_step_begin(case=case, what=DELETED, where=folder.where, artefacts=artefacts)
        else:
            shutil.rmtree(folder.path)
    for step in case.steps.filter(what=DELETED, done_at__isnull=True):
        for entry in step.artefacts:
            _delete_file(artefact_root() / entry["path"])
        withdrawal_step_record(case=case, what=DELETED, where=step.where, counts={"files": len(step.artefacts)})
    return len(present)


def _delete_file(path: Path) -> None:
    """Delete a file and the folders that are empty without it, below the root's own."""
    path.unlink(missing_ok=True)
    for parent in path.relative_to(artefact_root()).parents:
        folder = artefact_root() / parent
        if len(parent.parts) < 2 or (folder.is_dir() and any(folder.iterdir())):
            return
        if folder.is_dir():
            folder.rmdir()


def file_hashes(folder: Path) -> list[dict[str, str]]:
    """Path below the artefact root and SHA-256 of every file of a folder. Names of files are the platform's own."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [{"path": path.relative_to(artefact_root()).as_posix(), "sha256": _sha256(path)} for path in files]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders_of(version: ModelVersion) -> list[Path]:
    return [model_folder(version), artefact_root() / version.snapshot_folder]


def _folders_of_run(run: TrainingRun) -> list[Path]:
    """Where a training worked: a run that began again beside a registered version has a folder for each attempt."""
    models = artefact_root() / "models"
    return [models / f"run-{run.public_id}", *sorted(models.glob(f"run-{run.public_id}-*"))]


def may_still_work(run: TrainingRun) -> bool:
    """A cancelled run stops at its next report only, and tells of itself until then; a silent one counts as lost later."""
    if run.state != RunState.CANCELLED or run.started_at is None:
        return False
    told = max((moment for moment in (run.finished_at, run.heartbeat_at) if moment is not None), default=None)
    return told is not None and told > timezone.now() - heartbeat_limit()


def _is_below_root(path: Path) -> bool:
    root = artefact_root().resolve()
    return path.resolve() != root and path.resolve().is_relative_to(root)


def _may_list(listing: Path, slugs: set[str]) -> bool:
    """Whether a snapshot's list has one of the practices, or a line that tells none: what was cut off or damaged may have
    held any, and no model can be made of it.

    Lines end with a line feed alone, as they were written: a text may hold what Python takes for the end of a line.
    """
    for line in listing.read_bytes().split(b"\n"):
        try:
            if line and json.loads(line)["slug"] in slugs:
                return True
        except (ValueError, KeyError, TypeError):
            return True
    return False
