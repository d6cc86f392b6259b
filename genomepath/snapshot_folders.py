"""Snapshots under the name of their content, for whoever trains on them later."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from genomepath.artefacts import artefact_root, snapshot_folder
from genomepath.ml.snapshot import SnapshotError, read_snapshot
from genomepath.snapshots import TakenSnapshot, snapshot_export


def snapshot_keep(*, owner: str, include_drafts: bool) -> tuple[TakenSnapshot, dict[str, Any]]:
    """Take a snapshot into the folder that its hash names; returns it with its manifest.

    It is written to a folder of the owner first. A folder of the final name that is whole stays: somebody may be reading
    it. A damaged one is replaced.

    Raises:
        ValidationError: nothing may be trained on.
    """
    waiting = artefact_root() / "snapshots" / owner
    taken, manifest = snapshot_export(folder=waiting, include_drafts=include_drafts)
    final = snapshot_folder(manifest["data_sha256"])
    if _is_whole_snapshot(final):
        shutil.rmtree(waiting)
        return taken, manifest
    if final.exists():
        shutil.rmtree(final)
    waiting.replace(final)
    return taken, manifest


def _is_whole_snapshot(folder: Path) -> bool:
    try:
        read_snapshot(folder)
    except SnapshotError:
        return False
    return True
