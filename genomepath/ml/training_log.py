"""TensorBoard events of a training run: losses, learning rate, gradient norm, metrics and hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class TrainingLog:
    """Writes scalars an epoch; with ``folder`` None it writes nothing.

    ``first_epoch`` lets a resumed run replace the events that follow its saved state.
    """

    def __init__(self, folder: Path | None, *, first_epoch: int) -> None:
        self._writer: Any = None
        if folder is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=first_epoch)

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        """The configuration as one text."""
        if self._writer is not None:
            self._writer.add_text("hyperparameters", f"```json\n{json.dumps(values, indent=2, sort_keys=True)}\n```")

    def epoch(self, record: Mapping[str, Any]) -> None:
        """The numbers of one epoch; metrics under ``metrics/``."""
        if self._writer is None:
            return
        step = record["epoch"]
        for name, value in record.items():
            if name not in {"epoch", "metrics"}:
                self._writer.add_scalar(f"training/{name}", value, step)
        for name, value in record.get("metrics", {}).items():
            self._writer.add_scalar(f"metrics/{name}", value, step)

    def close(self) -> None:
        """Flush and close the event file."""
        if self._writer is not None:
            self._writer.close()
