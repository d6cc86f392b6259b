"""State of an unfinished training run: one safetensors file, the rest as JSON in its header, replaced atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

_GROUPS = ("weights", "best_weights", "moments")


class TrainingStateError(ValueError):
    """The state file is damaged or belongs to another run."""


@dataclass(frozen=True)
class TrainingState:
    """What a run needs to go on after its last saved epoch (``len(history)``); its draws follow from seed and epoch."""

    weights: Mapping[str, Tensor]
    best_weights: Mapping[str, Tensor]
    moments: Mapping[str, Tensor]
    best_epoch: int
    best_loss: float
    history: Sequence[dict[str, Any]]


def write_state(path: Path, state: TrainingState, key: Mapping[str, Any]) -> None:
    """Write ``state`` to ``path``; a crash leaves the former file. ``key`` names the run: configuration, seed, data."""
    tensors = {
        f"{group}:{name}": tensor.detach().contiguous()
        for group in _GROUPS
        for name, tensor in getattr(state, group).items()
    }
    header = {
        "key": _canonical(key),
        "progress": _canonical(
            {"best_epoch": state.best_epoch, "best_loss": state.best_loss, "history": list(state.history)}
        ),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, str(partial), metadata=header)
    partial.replace(path)


def read_state(path: Path, key: Mapping[str, Any]) -> TrainingState:
    """Read what ``write_state`` wrote.

    Raises:
        TrainingStateError: the file is damaged, or was written by a run with another ``key``.
    """
    groups: dict[str, dict[str, Tensor]] = {group: {} for group in _GROUPS}
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 - safe_open is no mapping
                group, _, rest = name.partition(":")
                groups[group][rest] = file.get_tensor(name).clone()
        progress = json.loads(header["progress"])
        found = header["key"]
    except (OSError, KeyError, SafetensorError, json.JSONDecodeError) as error:
        raise TrainingStateError(f"{path} is not a readable training state: {error}") from error
    if found != _canonical(key):
        raise TrainingStateError(f"{path} belongs to another configuration, seed or data set; start without resume")
    return TrainingState(
        **groups,
        best_epoch=progress["best_epoch"],
        best_loss=progress["best_loss"],
        history=progress["history"],
    )


def _canonical(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))
