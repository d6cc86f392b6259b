"""Split conformal sets: for each question the candidates among which a true held-out link lies with 90% coverage.

Vovk, Gammerman and Shafer, "Algorithmic learning in a random world" (2005); Angelopoulos and Bates, "A gentle introduction
to conformal prediction" (2021). A link's nonconformity is its negated logit; the threshold is the quantile of the n
nonconformities of calibration links at ceil((n + 1)(1 - alpha)) / n. A link known at several doses is one link: its doses
share its weight (Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023), which is the same
quantile where every link has one dose.

The guarantee is for links exchangeable with those of the calibration, as pairs held out at random are (P1). The links of
unseen practices and targets (P2, P3) hang together, so that coverage is measured there and not guaranteed. To let a new link
weigh as much as those of a record, which would guarantee it, gives 93% and more (docs/model_choices.md). The libraries in
use, such as MAPIE and crepes, build sets for one label of a classifier or an interval of a regression; none takes links of a
matrix whose unknown cells are candidates, and the quantile below is all that is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genomepath.ml.scores import BoolArray, FloatArray, Scores
from genomepath.ml.snapshot import DIRECTIONS

if TYPE_CHECKING:
    from genomepath.ml.dataset import TruthMatrix

SET_LEVEL = 0.9
"""The coverage that every set is calibrated for."""
_ROUNDING = 1e-9


class ConformalError(ValueError):
    """Scores and groups disagree, a score is not finite, or the stored thresholds can't be read."""


@dataclass(frozen=True)
class SetThreshold:
    """A candidate whose logit is at least ``least_logit`` is in the set; None: too few links calibrated, all are in.

    ``links`` is the number of links that it was calibrated on, ``level`` the coverage that it was calibrated for.
    """

    level: float
    least_logit: float | None
    links: int

    def holds(self, logits: ArrayLike) -> BoolArray:
        """Which logits are in the set, bool in the shape of ``logits``."""
        values = np.asarray(logits, dtype=np.float64)
        return np.asarray(values >= (-np.inf if self.least_logit is None else self.least_logit))

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return {"level": self.level, "least_logit": self.least_logit, "links": self.links}

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> SetThreshold:
        """Read what ``to_dict`` wrote.

        Raises:
            ConformalError: a value is missing or of another type.
        """
        try:
            least = payload["least_logit"]
            return cls(float(payload["level"]), None if least is None else float(least), int(payload["links"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ConformalError(f"no threshold of a set: {error!r}") from error


def conformal_threshold(scores: ArrayLike, groups: ArrayLike, level: float = SET_LEVEL) -> SetThreshold:
    """The highest threshold that a new link passes with probability ``level``.

    Args:
        scores: logits of the true links of the calibration, [N].
        groups: the link that each score belongs to, [N]; the scores of a link share its weight.

    Raises:
        ConformalError: see the class.
    """
    values, links = np.asarray(scores, dtype=np.float64).ravel(), np.asarray(groups).ravel()
    if values.shape != links.shape or not np.isfinite(values).all():
        raise ConformalError("a calibration needs a finite score with its link, each")
    names, index, counts = np.unique(links, return_inverse=True, return_counts=True)
    order = np.argsort(-values, kind="stable")
    # The new link, whose score is not known, has a weight of its own: 1 of the n + 1.
    covered = np.cumsum((1 / counts[index])[order]) / (len(names) + 1)
    enough = np.flatnonzero(covered >= level - _ROUNDING)
    least = float(values[order[enough[0]]]) if enough.size else None
    return SetThreshold(level, least, len(names))


def fit_thresholds(scores: Scores, truth: TruthMatrix, links: BoolArray) -> dict[str, SetThreshold]:
    """The thresholds of both directions.

    Args:
        scores: those of ``Scores.to_calibrate_on``: a record unseen on the training side must be scored as unseen.
        truth: known associations; from practice to target a link counts at the doses at which it is known.
        links: the known pairs that were held out, bool [P, G].
    """
    return {way: conformal_threshold(*link_scores(scores, truth, links, way)) for way in DIRECTIONS}


def link_scores(scores: Scores, truth: TruthMatrix, links: BoolArray, way: str) -> tuple[FloatArray, NDArray[np.intp]]:
    """Logits [N] of the links and the cell that each belongs to, counted row by row over the matrix of pairs [P, G]."""
    practices, targets = np.nonzero(links)
    if way != DIRECTIONS[0]:
        return scores.genomic_to_tk[targets, practices], practices * links.shape[1] + targets
    rows, doses = np.nonzero(truth.confidence[practices, :, targets] > 0)
    practices, targets = practices[rows], targets[rows]
    return scores.tk_to_genomic[practices, doses, targets], practices * links.shape[1] + targets


def read_thresholds(calibration: Mapping[str, Any]) -> dict[str, SetThreshold] | None:
    """The thresholds of a model's calibration file; None where it holds none of this level.

    Raises:
        ConformalError: they are there, but damaged.
    """
    found = calibration.get("sets")
    if found is None:
        return None
    try:
        thresholds = {way: SetThreshold.from_dict(found[way]) for way in DIRECTIONS}
    except (KeyError, TypeError) as error:
        raise ConformalError(f"no thresholds of sets: {error!r}") from error
    return thresholds if all(entry.level == SET_LEVEL for entry in thresholds.values()) else None
