"""Measures, on the bundled data, from which similarity on a text is about a record.

`python -m genomepath.text_threshold FILE` writes what it found as Markdown.

Each bundled practice is left out in turn, as if it were withheld. Texts about it are made from its own fields in other
words and another order; texts about the other practices, and sentences about nothing of this field, say what is refused
without need. No invented knowledge enters: only wordings change.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from correlations.bundled import PracticeRow, read_bundled
from genomepath.description_threshold import MeasuredDescriptions, descriptions_document, measure_descriptions
from genomepath.ml.abstention import ANSWERED_SHARE, far_threshold
from genomepath.ml.embedding import MiniLMEncoder, TextEncoder
from genomepath.ml.far_texts import CHOOSING
from genomepath.ml.fields import INDICATION_SYNONYMS
from genomepath.ml.known_targets import FAR_FROM_TARGETS
from genomepath.text_door import FAR_FROM_KNOWN, NEAR_WITHHELD, closeness, practice_views, segments

CAUGHT_SHARE = 0.95


@dataclass(frozen=True)
class Measured:
    """Closeness of texts to practices: ``scores`` float32 [kinds, texts, practices], and of the unrelated to the nearest."""

    kinds: tuple[str, ...]
    scores: NDArray[np.float32]
    unrelated: NDArray[np.float32]

    @property
    def own(self) -> NDArray[np.float32]:
        """Of each text to the practice that it is about, [kinds, texts]."""
        return np.diagonal(self.scores, axis1=1, axis2=2)

    @property
    def others(self) -> NDArray[np.float32]:
        """Of each text to each practice that it is not about, [kinds, texts, practices - 1]."""
        count = self.scores.shape[1]
        return self.scores[:, ~np.eye(count, dtype=bool)].reshape(len(self.kinds), count, count - 1)

    def near_threshold(self) -> float:
        """The highest threshold, in hundredths, that catches 95% of the texts of each kind about a withheld practice."""
        return math.floor(100 * float(np.quantile(self.own, 1 - CAUGHT_SHARE, axis=1).min())) / 100

    def far_threshold(self) -> float:
        """Below it, in hundredths, lie all unrelated sentences, unless 99% of the texts about a left-out practice forbid it.

        Those texts are answered today from the other practices, and must go on being answered.
        """
        return far_threshold(self.others.max(axis=2), self.unrelated)


def measure(encoder: TextEncoder) -> Measured:
    """Measure on the bundled practices."""
    practices = read_bundled().practices
    views = [_views(practice) for practice in practices]
    flat = [view for texts in views for view in texts]
    owners = np.repeat(np.arange(len(views)), [len(texts) for texts in views])
    vectors = encoder.encode(flat)

    def close(text: str) -> NDArray[np.float32]:
        to_views = closeness(encoder.encode(segments(text)), vectors)
        return np.array([to_views[owners == row].max() for row in range(len(views))], dtype=np.float32)

    scores = np.array([[close(reword(practice)) for practice in practices] for reword in REWORDINGS.values()])
    return Measured(tuple(REWORDINGS), scores, np.array([close(text).max() for text in CHOOSING]))


def _views(practice: PracticeRow) -> list[str]:
    return practice_views(
        title=practice.title,
        indications=[term.name for term in practice.indications],
        preparation=practice.preparation,
        cultural_context=practice.cultural_context,
    )


def _conditions(practice: PracticeRow) -> str:
    """The indications in other words where there are any, in reverse order."""
    names = [INDICATION_SYNONYMS.get(term.name.lower(), (term.name,))[0] for term in practice.indications]
    return ", ".join(reversed(names)).lower()


def _described(practice: PracticeRow) -> str:
    return f"In {practice.tradition}, {practice.preparation or 'a remedy'} is taken for {_conditions(practice)}"


def _reordered(practice: PracticeRow) -> str:
    return f"{practice.cultural_context} Used for {_conditions(practice)}. {practice.preparation}. {practice.title}"


def _embedded(practice: PracticeRow) -> str:
    """Amid sentences about something else."""
    return f"{' '.join(CHOOSING[:4])} {_described(practice)}; {practice.title}. {' '.join(CHOOSING[4:8])}"


REWORDINGS: dict[str, Callable[[PracticeRow], str]] = {
    "title in capitals": lambda practice: practice.title.upper(),
    "all fields, reordered, other words": _reordered,
    "described without its title": _described,
    "amid an unrelated text": _embedded,
}


def document(measured: Measured, descriptions: MeasuredDescriptions) -> str:
    """The measurement as Markdown."""
    near, far = measured.near_threshold(), measured.far_threshold()
    count = measured.scores.shape[1]
    rows = [
        f"| {kind} | {_shares(measured.own[index] >= near)} | {np.quantile(measured.own[index], 0.05):.3f} "
        f"| {np.median(measured.own[index]):.3f} | {_shares(measured.others[index] >= near)} "
        f"| {_shares(measured.others[index].max(axis=1) < far)} |"
        for index, kind in enumerate(measured.kinds)
    ]
    return "\n".join(
        [
            "# Free text: when a text is about a withheld record",
            "",
            "Written by `python -m genomepath.text_threshold docs/free_text_threshold.md`; don't edit. A test measures",
            "again and compares. Cosines of all-MiniLM-L6-v2 between a text (whole, and parts of 40 words) and a record",
            "(title, context, all fields together), the highest counts. Sacred records have no fields and take no part:",
            "they are recognised by their names alone.",
            "",
            f"Data: the {count} bundled practices, each left out once as if it were withheld, with texts made from its own",
            f"fields; {len(CHOOSING)} sentences about nothing of this field.",
            "",
            "| threshold | value | how it was chosen |",
            "| --- | --- | --- |",
            f"| near a withheld record: no answer | {near:.2f} | the highest at which {CAUGHT_SHARE:.0%} of the texts of "
            "each kind about a withheld practice get no answer |",
            f"| far from all that may be used: no answer | {far:.2f} | just above the closest unrelated sentence "
            f"({measured.unrelated.max():.3f}), as long as {ANSWERED_SHARE:.0%} of the texts about a left-out practice "
            "stay above it |",
            "",
            "| text about the withheld practice | caught | 5% quantile | median | another practice's text refused, a pair | "
            "taken for far |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"All kinds: {_shares(measured.own >= near)} caught; of the pairs of a text and a practice that it is not "
            f"about, {_shares(measured.others >= near)} are refused. Of the unrelated sentences "
            f"{_shares(measured.unrelated < far)} get no answer.",
            "",
            "What follows: a reworded text about a withheld practice can slip through where it keeps neither names nor",
            "context. Its answer lists targets alone and names no practice; a withdrawn practice leaves the model with",
            "the retraining that its withdrawal queues. The more records are withheld, the more texts about their",
            "neighbours get no answer: the price of the threshold.",
            "",
            *descriptions_document(descriptions),
        ]
    )


def _shares(holds: NDArray[np.bool_]) -> str:
    return f"{holds.mean():.1%}"


def main(arguments: Sequence[str]) -> int:
    """Measure and write the document; returns the exit code, non-zero where the code's thresholds differ."""
    encoder = MiniLMEncoder()
    measured, descriptions = measure(encoder), measure_descriptions(encoder)
    Path(arguments[0]).write_text(document(measured, descriptions), encoding="utf-8")
    thresholds = (measured.near_threshold(), measured.far_threshold(), descriptions.far_threshold())
    agreed = thresholds == (NEAR_WITHHELD, FAR_FROM_KNOWN, FAR_FROM_TARGETS)
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
