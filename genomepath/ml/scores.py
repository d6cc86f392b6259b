"""What every scorer returns, and the two shapes a scorer may have.

The neural model and each baseline are scorers, so that one protocol judges them all. Imports neither torch nor Django.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.snapshot import DOSES, Snapshot

if TYPE_CHECKING:
    from genomepath.ml.dataset import TextFeatures, TruthMatrix

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]


class ScoreError(ValueError):
    """The scores have a wrong shape or hold a value that can't be ranked."""


@dataclass(frozen=True)
class Scores:
    """Scores of the whole catalogue, higher is more likely; any monotone scale (the model returns logits).

    Attributes:
        tk_to_genomic: float [P, D, G], practice x dose x target, doses in the order of ``snapshot.DOSES``.
        genomic_to_tk: float [G, P], target x practice.
        for_calibration: what a calibration on the validation part reads, where that differs: scores in which a record
            that is unseen on the training side is as unseen as one of the test part.
        epochs: how long a scorer that stops early was trained; None for others.
        log_odds: the scores are log odds of a link, as far as the scorer knows, and not only of some monotone scale.

    Raises:
        ScoreError: shapes that disagree, or NaN or infinity (NaN compares false and would silently rank first).
    """

    tk_to_genomic: FloatArray
    genomic_to_tk: FloatArray
    for_calibration: Scores | None = None
    log_odds: bool = False
    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.tk_to_genomic.ndim != 3 or self.tk_to_genomic.shape[1] != len(DOSES):
            raise ScoreError(f"tk_to_genomic must be [practices, {len(DOSES)}, targets]: {self.tk_to_genomic.shape}")
        practices, _, targets = self.tk_to_genomic.shape
        if self.genomic_to_tk.shape != (targets, practices):
            raise ScoreError(f"genomic_to_tk must be {(targets, practices)}: {self.genomic_to_tk.shape}")
        if not (np.isfinite(self.tk_to_genomic).all() and np.isfinite(self.genomic_to_tk).all()):
            raise ScoreError("scores must be finite")

    @classmethod
    def from_pairs(cls, pair_scores: FloatArray, genomic_to_tk: FloatArray | None = None) -> Scores:
        """Scores without a dose dimension: [P, G] repeated over the doses, and transposed for genomic->TK."""
        doses = np.repeat(pair_scores[:, None, :], len(DOSES), axis=1)
        return cls(doses, pair_scores.T if genomic_to_tk is None else genomic_to_tk)

    @property
    def to_calibrate_on(self) -> Scores:
        """The scores that a calibration on the validation part reads."""
        return self if self.for_calibration is None else self.for_calibration

    @property
    def pair_scores(self) -> FloatArray:
        """TK->genomic score of a pair [P, G]: the maximum over doses."""
        return np.asarray(self.tk_to_genomic.max(axis=1))


class Scorer(Protocol):
    """Learns from the training side alone and scores the catalogue. Picklable, so that folds can run in processes."""

    def __call__(self, snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
        """Score every practice x dose x target; ``snapshot`` and ``training`` hold training-side rows only."""
        ...


class ValidatedScorer(Protocol):
    """A scorer that stops early on an inner validation part; ``training`` does not hold the validation pairs."""

    @property
    def uses_validation(self) -> bool:
        """True."""
        ...

    def __call__(
        self,
        snapshot: Snapshot,
        features: TextFeatures,
        training: TruthMatrix,
        /,
        *,
        validation: TruthMatrix,
        seed: int,
        epochs: int | None = None,
    ) -> Scores:
        """Score every practice x dose x target; ``seed`` is the seed of the run that asks.

        With ``epochs`` the training is as long, and ``validation`` says nothing of when it ends.
        """
        ...


@dataclass(frozen=True)
class FixedFeatures:
    """A scorer that always reads its own features, for example those without condition fields."""

    scorer: Scorer | ValidatedScorer
    features: TextFeatures

    @property
    def uses_validation(self) -> bool:
        """Whether the scorer within stops early on a validation part."""
        return takes_validation(self.scorer)

    @property
    def calibration_parts(self) -> int:
        """That of the scorer within."""
        return fitted_parts(self.scorer)

    def __call__(self, snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /, **options: Any) -> Scores:
        """Ask the scorer within, with the fixed features in place of ``features``."""
        return self.scorer(snapshot, self.features, training, **options)


def takes_validation(scorer: Scorer | ValidatedScorer) -> TypeGuard[ValidatedScorer]:
    """Whether the scorer is a ValidatedScorer."""
    return bool(getattr(scorer, "uses_validation", False))


def fitted_parts(scorer: Scorer | ValidatedScorer) -> int:
    """For how many calibration parts a ValidatedScorer is fitted anew; with 0 it is calibrated on its validation part."""
    return int(getattr(scorer, "calibration_parts", 0))
