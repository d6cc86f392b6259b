"""Measures, on the bundled targets, from which similarity on a description is about anything known.

Each target is left out in turn and described by its own fields; the sentences about nothing of this field set the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from correlations.bundled import TargetRow, read_bundled
from genomepath.ml.abstention import ANSWERED_SHARE, far_threshold
from genomepath.ml.embedding import TextEncoder
from genomepath.ml.far_texts import CHOOSING
from genomepath.ml.known_targets import description_texts, target_views
from genomepath.ml.once_encoder import OnceEncoder
from genomepath.ml.snapshot import DiseaseRecord, TargetRecord
from genomepath.text_door import closeness, segments


def _all_fields(row: TargetRow) -> TargetRecord:
    return TargetRecord(
        symbol=row.symbol,
        name=row.name,
        pathways=tuple(pathway.name for pathway in row.pathways),
        tissues=row.tissues,
        diseases=tuple(DiseaseRecord(disease.name) for disease in row.disease_associations),
    )


def _named(symbol: str, name: str) -> TargetRecord:
    return TargetRecord(symbol, name, (), (), ())


DESCRIPTIONS: Mapping[str, Callable[[TargetRow], TargetRecord]] = {
    "all fields": _all_fields,
    "symbol and name": lambda row: _named(row.symbol, row.name),
    "symbol alone": lambda row: _named(row.symbol, ""),
}
_FORBIDDING = 2
"""The first kinds forbid a threshold that takes them for far; a symbol alone says too little to an encoder of sentences."""


@dataclass(frozen=True)
class MeasuredDescriptions:
    """Closeness to the nearest other target: ``nearest`` float32 [kinds, targets], and of unrelated sentences [12]."""

    nearest: NDArray[np.float32]
    unrelated: NDArray[np.float32]

    def far_threshold(self) -> float:
        """Just above the closest unrelated sentence, unless descriptions by the first two kinds forbid it."""
        return far_threshold(self.nearest[:_FORBIDDING], self.unrelated)


def measure_descriptions(encoder: TextEncoder) -> MeasuredDescriptions:
    """Measure on the bundled targets."""
    once = OnceEncoder(encoder)
    targets = read_bundled().targets
    views = [target_views(_all_fields(row)) for row in targets]
    vectors = once.encode([view for own in views for view in own])
    owners = np.repeat(np.arange(len(views)), [len(own) for own in views])

    def to_others(row: int, record: TargetRecord) -> float:
        return float(closeness(once.encode(description_texts(record)), vectors[owners != row]).max())

    nearest = [
        [to_others(row, describe(target)) for row, target in enumerate(targets)] for describe in DESCRIPTIONS.values()
    ]
    unrelated = [closeness(once.encode(segments(text)), vectors).max() for text in CHOOSING]
    return MeasuredDescriptions(np.array(nearest, dtype=np.float32), np.array(unrelated, dtype=np.float32))


def descriptions_document(measured: MeasuredDescriptions) -> list[str]:
    """The measurement as lines of Markdown."""
    far = measured.far_threshold()
    rows = [
        f"| {kind} | {(nearest < far).mean():.1%} | {np.quantile(nearest, 0.05):.3f} | {np.median(nearest):.3f} |"
        for kind, nearest in zip(DESCRIPTIONS, measured.nearest, strict=True)
    ]
    return [
        "## Descriptions of a gene or of findings",
        "",
        "Compared with the known targets: all fields of each together, and each field (symbol with name, pathway, tissue,",
        "disease association). Of the description the whole and each field are compared; the highest cosine counts, so that",
        "one known pathway is enough.",
        "",
        f"Far from all known targets: below {far:.2f}, just above the closest unrelated sentence "
        f"({measured.unrelated.max():.3f}), as long as {ANSWERED_SHARE:.0%} of the",
        "descriptions by all fields and by symbol and name stay above it, each target left out once.",
        "",
        f"| description of a left-out target, {measured.nearest.shape[1]} targets | taken for far | 5% quantile | median |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"Of the unrelated sentences {(measured.unrelated < far).mean():.1%} get no answer. The report of an evaluation has",
        "the rates on sentences that set no threshold.",
        "",
    ]
