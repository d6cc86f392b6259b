"""The frozen training data: the only door from the database to the model.

A snapshot is a folder of canonical JSON lines with a manifest. Equal content gives equal bytes, so two snapshots can be
compared by ``data_sha256`` alone. A snapshot says nothing of what was left out of it: exclusions and their reasons stand
in the audit event of the export.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

DOSES: tuple[str, ...] = ("low", "medium", "high")
DIRECTIONS: tuple[str, ...] = ("tk_to_genomic", "genomic_to_tk")
SCHEMA_VERSION = 1


class SnapshotError(ValueError):
    """The folder is not a snapshot, or its content differs from its manifest."""


@dataclass(frozen=True, order=True)
class DiseaseRecord:
    """A disease association of a target; ``study_count`` is None where the source gives no count."""

    name: str
    identifier: str = ""
    study_count: int | None = None


@dataclass(frozen=True)
class PracticeRecord:
    """A practice as the TK encoder reads it. ``indications`` keep their documented order."""

    slug: str
    title: str
    tradition: str
    indications: tuple[str, ...]
    preparation: str
    cultural_context: str


@dataclass(frozen=True)
class TargetRecord:
    """A genomic target as the genomic encoder reads it."""

    symbol: str
    name: str
    pathways: tuple[str, ...]
    tissues: tuple[str, ...]
    diseases: tuple[DiseaseRecord, ...]


@dataclass(frozen=True)
class CorrelationRecord:
    """One correlation row: a practice and a target at a dose, found in one direction."""

    practice: str
    target: str
    dose: str
    direction: str
    confidence: float
    quality: str


@dataclass(frozen=True)
class SynergyRecord:
    """An unordered pair of targets with a curated interaction; ``target_a`` < ``target_b``."""

    target_a: str
    target_b: str


@dataclass(frozen=True)
class Snapshot:
    """All records, each tuple sorted by its key."""

    practices: tuple[PracticeRecord, ...]
    targets: tuple[TargetRecord, ...]
    correlations: tuple[CorrelationRecord, ...]
    synergies: tuple[SynergyRecord, ...]

    @property
    def data_sha256(self) -> str:
        """SHA-256 over the four record files in a fixed order."""
        digest = hashlib.sha256()
        for name, payload in _payloads(self).items():
            digest.update(f"{name}\0{len(payload)}\0".encode())
            digest.update(payload)
        return digest.hexdigest()


Record = TypeVar("Record")


def snapshot_build(
    *,
    practices: Iterable[PracticeRecord],
    targets: Iterable[TargetRecord],
    correlations: Iterable[CorrelationRecord],
    synergies: Iterable[SynergyRecord],
) -> Snapshot:
    """Sort, check and freeze the records.

    Raises:
        SnapshotError: a duplicate key, an unknown dose or direction, a confidence outside (0, 1], or a correlation or
            synergy that names a practice or target that the snapshot does not hold.
    """
    snapshot = Snapshot(
        practices=tuple(sorted(practices, key=lambda record: record.slug)),
        targets=tuple(sorted(targets, key=lambda record: record.symbol)),
        correlations=tuple(
            sorted(correlations, key=lambda record: (record.practice, record.target, record.dose, record.direction))
        ),
        synergies=tuple(sorted(synergies, key=lambda record: (record.target_a, record.target_b))),
    )
    _check(snapshot)
    return snapshot


def write_snapshot(snapshot: Snapshot, folder: Path, *, code_version: str) -> dict[str, Any]:
    """Write the record files and the manifest into ``folder`` (made if absent) and return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    payloads = _payloads(snapshot)
    for name, payload in payloads.items():
        (folder / name).write_bytes(payload)
    manifest = {
        "schema": SCHEMA_VERSION,
        "purpose": "TRAINING",
        "code_version": code_version,
        "data_sha256": snapshot.data_sha256,
        "counts": {name.removesuffix(".jsonl"): payload.count(b"\n") for name, payload in payloads.items()},
        "files": {name: hashlib.sha256(payload).hexdigest() for name, payload in payloads.items()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def read_snapshot(folder: Path) -> Snapshot:
    """Read a snapshot and verify it against its manifest.

    Raises:
        SnapshotError: a file is missing, malformed, or differs from the manifest.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        rows = {name: _read_lines(folder / name, manifest["files"][name]) for name in _FILES}
        snapshot = snapshot_build(
            practices=[
                PracticeRecord(**{**row, "indications": tuple(row["indications"])}) for row in rows["practices.jsonl"]
            ],
            targets=[_target_from_row(row) for row in rows["targets.jsonl"]],
            correlations=[CorrelationRecord(**row) for row in rows["correlations.jsonl"]],
            synergies=[SynergyRecord(**row) for row in rows["synergies.jsonl"]],
        )
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise SnapshotError(f"{folder} is not a readable snapshot: {error}") from error
    if snapshot.data_sha256 != manifest.get("data_sha256"):
        raise SnapshotError(f"{folder}: the records do not match data_sha256 of the manifest")
    return snapshot


_FILES = ("practices.jsonl", "targets.jsonl", "correlations.jsonl", "synergies.jsonl")


def _payloads(snapshot: Snapshot) -> dict[str, bytes]:
    groups: Sequence[Sequence[Any]] = (
        snapshot.practices,
        snapshot.targets,
        snapshot.correlations,
        snapshot.synergies,
    )
    return {name: b"".join(_line(record) for record in group) for name, group in zip(_FILES, groups, strict=True)}


def _line(record: Any) -> bytes:
    text = json.dumps(asdict(record), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def _read_lines(path: Path, expected_sha256: str) -> list[dict[str, Any]]:
    payload = path.read_bytes()
    if hashlib.sha256(payload).hexdigest() != expected_sha256:
        raise SnapshotError(f"{path} differs from its manifest")
    return [json.loads(line) for line in payload.splitlines()]


def _target_from_row(row: dict[str, Any]) -> TargetRecord:
    return TargetRecord(
        symbol=row["symbol"],
        name=row["name"],
        pathways=tuple(row["pathways"]),
        tissues=tuple(row["tissues"]),
        diseases=tuple(DiseaseRecord(**disease) for disease in row["diseases"]),
    )


def _check(snapshot: Snapshot) -> None:
    slugs = _unique("practice", (record.slug for record in snapshot.practices))
    symbols = _unique("target", (record.symbol for record in snapshot.targets))
    _unique("correlation", ((row.practice, row.target, row.dose, row.direction) for row in snapshot.correlations))
    _unique("synergy", ((row.target_a, row.target_b) for row in snapshot.synergies))
    for row in snapshot.correlations:
        if row.practice not in slugs or row.target not in symbols:
            raise SnapshotError(f"correlation {row.practice} / {row.target} names a record outside the snapshot")
        if row.dose not in DOSES or row.direction not in DIRECTIONS:
            raise SnapshotError(f"correlation {row.practice} / {row.target}: unknown dose or direction")
        if not 0.0 < row.confidence <= 1.0:
            raise SnapshotError(f"correlation {row.practice} / {row.target}: confidence {row.confidence} not in (0, 1]")
    for pair in snapshot.synergies:
        if not pair.target_a < pair.target_b or {pair.target_a, pair.target_b} - symbols:
            raise SnapshotError(f"synergy {pair.target_a} / {pair.target_b} is not an ordered pair of the snapshot")


def _unique(kind: str, keys: Iterable[Record]) -> set[Record]:
    seen: set[Record] = set()
    for key in keys:
        if key in seen:
            raise SnapshotError(f"duplicate {kind} {key}")
        seen.add(key)
    return seen
