"""An obviously invented catalogue for tests of the protocol, small enough to be checked by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.dataset import TextFeatures, build_text_features
from genomepath.ml.snapshot import (
    DOSES,
    CorrelationRecord,
    DiseaseRecord,
    PracticeRecord,
    Snapshot,
    SynergyRecord,
    TargetRecord,
    snapshot_build,
)

QUALITIES = ("poor", "moderate", "good")


class HashEncoder:
    """Texts to fixed pseudo-random unit vectors: equal texts get equal vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            vector = np.random.default_rng(seed).normal(size=384)
            vectors.append(vector / np.linalg.norm(vector))
        return np.array(vectors, dtype=np.float32).reshape(len(texts), 384)


def synthetic_snapshot(practices: int = 12, targets: int = 10, density: float = 0.35, seed: int = 0) -> Snapshot:
    """Random links; every second pair is known at two doses, so that pairs recur over correlation rows."""
    rng = np.random.default_rng(seed)
    known = rng.random((practices, targets)) < density
    rows = []
    for practice, target in np.argwhere(known):
        doses = rng.permutation(DOSES)[: 1 + int(rng.integers(0, 2))]
        rows += [
            CorrelationRecord(
                practice=f"invented-practice-{practice:02d}",
                target=f"FAKE{target:02d}",
                dose=str(dose),
                direction="tk_to_genomic",
                confidence=float(rng.uniform(0.3, 0.9)),
                quality=QUALITIES[int(rng.integers(0, 3))],
            )
            for dose in doses
        ]
    return snapshot_build(
        practices=[
            PracticeRecord(
                slug=f"invented-practice-{index:02d}",
                title=f"Invented practice {index}",
                tradition="Invented tradition",
                indications=(f"invented condition {index % 5}",),
                preparation=f"Invented preparation {index % 4}",
                cultural_context="Invented for a test",
            )
            for index in range(practices)
        ],
        targets=[
            TargetRecord(
                symbol=f"FAKE{index:02d}",
                name=f"invented protein {index}",
                pathways=(f"invented pathway {index % 3}",),
                tissues=("invented tissue",),
                diseases=(DiseaseRecord(name=f"invented condition {index % 5}"),),
            )
            for index in range(targets)
        ],
        correlations=rows,
        synergies=[SynergyRecord(f"FAKE{a:02d}", f"FAKE{a + 1:02d}") for a in (0, 2) if a + 1 < targets],
    )


def synthetic_features(snapshot: Snapshot) -> TextFeatures:
    return build_text_features(snapshot, HashEncoder())
