"""A training set for use elsewhere: the snapshot, cut 80/10/10 by pairs, in JSON lines and safetensors, with its credits.

The policy is asked for whoever is handed it; a training of the platform itself takes its snapshot elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.db import transaction
from safetensors.numpy import save_file

from ethics.policy import Audience
from genomepath.export_credits import write_credits
from genomepath.export_records import export_record_add
from genomepath.export_uses import EVERYBODY, uses_of_training_set
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.snapshot import Snapshot
from genomepath.ml.splits import stratified_pair_split
from genomepath.snapshots import LeftOut, TakenSnapshot, snapshot_export

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class WrittenTrainingSet:
    """What was written: manifest of the snapshot, rows of each side, for whom; and how much may not be handed to them."""

    manifest: dict[str, Any]
    rows: dict[str, int]
    audiences: tuple[Audience, ...]
    left_out: LeftOut


def training_set_export(
    *, folder: Path, seed: int, include_drafts: bool, recipient: str, audience: Audience | None = None
) -> WrittenTrainingSet:
    """Write snapshot, sides and credits to ``folder``, absent or empty; all of it or nothing.

    It holds what may be handed to the recipient's audience as training data; without one, to any client. The export is on
    record, with its recipient and items, before its files are there.

    Raises:
        ValidationError: nothing may be handed out, something went out of use meanwhile, or no recipient is named.
        SplitError: too few pairs to cut.
        OSError: the folder is not empty or cannot be written.
    """
    audiences = EVERYBODY if audience is None else (audience,)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as waiting:
        content = Path(waiting) / "content"
        taken, manifest = snapshot_export(folder=content, include_drafts=include_drafts, handed_to=audiences)
        rows = write_training_set(taken.snapshot, content, seed=seed)
        _note(taken, content, recipient=recipient, audiences=audiences)
        content.replace(folder)
    return WrittenTrainingSet(manifest, rows, audiences, taken.left_out)


@transaction.atomic
def _note(taken: TakenSnapshot, content: Path, *, recipient: str, audiences: tuple[Audience, ...]) -> None:
    """Put the export on record and its credits beside it: both as of one moment of the policy."""
    export_record_add(
        what="training set",
        recipient=recipient,
        data_sha256=taken.snapshot.data_sha256,
        item_public_ids=taken.item_public_ids,
        audiences=audiences,
        also_for=uses_of_training_set(audiences),
    )
    write_credits(
        content,
        slugs=[practice.slug for practice in taken.snapshot.practices],
        item_public_ids=taken.item_public_ids,
        audiences=audiences,
    )


def write_training_set(snapshot: Snapshot, folder: Path, *, seed: int) -> dict[str, int]:
    """Write ``train``, ``validation`` and ``test`` as JSON lines and tensors; returns the rows of each side.

    All doses and directions of a (practice, target) pair stand on one side. The tensors of a side are ``practice``,
    ``target``, ``dose`` (int64 [N], indices into ``catalogue.json``) and ``confidence`` (float32 [N]).

    Raises:
        SplitError: too few pairs to cut.
    """
    truth = TruthMatrix.from_snapshot(snapshot)
    split = stratified_pair_split(truth, seed)
    practices = {slug: index for index, slug in enumerate(truth.practices)}
    targets = {symbol: index for index, symbol in enumerate(truth.targets)}
    doses = ("low", "medium", "high")
    counts = {}
    for side in SIDES:
        mask = getattr(split, side)
        rows = [row for row in snapshot.correlations if mask[practices[row.practice], targets[row.target]]]
        lines = (json.dumps(row.__dict__, sort_keys=True, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{side}.jsonl").write_text("".join(lines), encoding="utf-8")
        tensors: dict[str, np.ndarray[Any, Any]] = {
            "practice": np.array([practices[row.practice] for row in rows], dtype=np.int64),
            "target": np.array([targets[row.target] for row in rows], dtype=np.int64),
            "dose": np.array([doses.index(row.dose) for row in rows], dtype=np.int64),
            "confidence": np.array([row.confidence for row in rows], dtype=np.float32),
        }
        save_file(tensors, folder / f"{side}.safetensors")
        counts[side] = len(rows)
    catalogue = {"practices": list(practices), "targets": list(targets), "doses": list(doses), "seed": seed}
    (folder / "catalogue.json").write_text(json.dumps(catalogue, indent=2) + "\n", encoding="utf-8")
    return counts
