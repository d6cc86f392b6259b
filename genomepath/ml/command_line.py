"""What the commands of this package share: options, refusals before the long work, failures in one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from genomepath.ml.calibration import CalibrationError
from genomepath.ml.checkpoint import write_json
from genomepath.ml.config import PRESETS
from genomepath.ml.dataset import DatasetError, TruthMatrix
from genomepath.ml.leakage import LeakageError
from genomepath.ml.snapshot import Snapshot, SnapshotError, read_snapshot
from genomepath.ml.splits import SplitError, protocol_folds

PROTOCOLS = ("P1", "P2", "P3")
LARGEST_SEED = 2_147_483_647
FAILED = 2
"""The exit code, as for options that argparse refuses."""


def add_judging_options(parser: argparse.ArgumentParser, *, protocols: Sequence[str], report_option: str) -> None:
    """Snapshot, preset, seeds, protocols (with their default), and the file that a report takes by ``report_option``."""
    parser.add_argument("snapshot", type=Path, metavar="SNAPSHOT", help="folder of a training snapshot")
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--seeds", type=_seed, nargs="+", default=[0])
    names = " ".join(protocols)
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=protocols, help=f"{names} unless given")
    parser.add_argument(
        "--json", type=_output, metavar="FILE", help=f"write the whole result, for evaluate_genomepath {report_option}"
    )


def judging_options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, each seed and protocol once: a fold that is judged twice would count twice."""
    options = parser.parse_args(arguments)
    options.seeds, options.protocols = list(dict.fromkeys(options.seeds)), tuple(dict.fromkeys(options.protocols))
    return options


def snapshot_to_judge(options: argparse.Namespace) -> Snapshot:
    """The snapshot, once it is known to be large enough for every protocol and seed.

    Raises:
        SnapshotError, DatasetError, SplitError: it can't be read, or is not.
    """
    snapshot = read_snapshot(options.snapshot)
    truth = TruthMatrix.from_snapshot(snapshot)
    for protocol in options.protocols:
        for seed in options.seeds:
            protocol_folds(protocol, snapshot, truth, seed=seed)
    return snapshot


@contextmanager
def failures_told(parser: argparse.ArgumentParser) -> Iterator[None]:
    """End the command with one line where the data or the machine is at fault."""
    from genomepath.ml.fitting import TrainingError  # it loads torch, which --help need not wait for

    try:
        yield
    except (SnapshotError, DatasetError, SplitError, TrainingError, CalibrationError, LeakageError, OSError) as error:
        parser.exit(FAILED, f"{parser.prog}: error: {error}\n")


def result_write(parser: argparse.ArgumentParser, path: Path | None, payload: Any) -> None:
    """Write the result where a file was asked for; the tables stand printed by then."""
    if path is None:
        return
    try:
        write_json(path, payload)
    except OSError as error:
        parser.exit(FAILED, f"{parser.prog}: error: judged, but {path} could not be written: {error.strerror}\n")


def output_fault(path: Path) -> str:
    """Why no file can be written there, found before the work; empty where one can. Leaves nothing behind."""
    folder = path.resolve().parent
    try:
        if path.is_dir():
            return f"{path} cannot be written: it is a folder."
        if not folder.is_dir():
            return f"{path} cannot be written: there is no folder {path.parent}."
        if path.exists() and not os.access(path, os.W_OK):
            return f"{path} cannot be written: it is there already, read-only."
        with TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}."


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _output(text: str) -> Path:
    fault = output_fault(Path(text))
    if fault:
        raise argparse.ArgumentTypeError(fault)
    return Path(text)


def _seed(text: str) -> int:
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if not 0 <= seed <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: give whole numbers from 0 to {LARGEST_SEED}")
    return seed
