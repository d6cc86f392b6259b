"""Field shares in a model folder: written when a model is trained, read without torch.

``field_shares.safetensors`` holds the numbers, ``field_shares.json`` which field each of them is of. Titles, preparations
and cultural contexts are named by their kind and not repeated there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from genomepath.ml.checkpoint import read_catalogue, write_json
from genomepath.ml.fields import (
    CONTEXT_SLOT,
    DISEASE_SLOT,
    FIRST_INDICATION_SLOT,
    IDENTITY_SLOT,
    NAME_SLOT,
    PATHWAY_SLOT,
    PREPARATION_SLOT,
    TISSUE_SLOT,
    Token,
    practice_tokens,
    target_tokens,
)
from genomepath.ml.snapshot import DOSES, PracticeRecord, TargetRecord

ARRAYS, NAMES = "field_shares.safetensors", "field_shares.json"
PRACTICE_KINDS = {NAME_SLOT: "title", PREPARATION_SLOT: "preparation", CONTEXT_SLOT: "cultural_context"}
INDICATION = "indication"
TARGET_KINDS = {
    IDENTITY_SLOT: "identity",
    PATHWAY_SLOT: "pathway",
    TISSUE_SLOT: "tissue",
    DISEASE_SLOT: "disease_association",
}
DOSE = "dose"
FloatArray = NDArray[np.float32]


class FieldSharesError(ValueError):
    """The files are damaged, or of another shape than the catalogue."""


@dataclass(frozen=True, eq=False)
class FieldShares:
    """Log odds by field. P practices, G targets, D doses, T and T' fields of the longest practice and target.

    Attributes:
        practice_texts: [P, T, G], exact. practice_towers: [P, D, 1 + T, G], by occlusion, the dose first.
        practice_rest: [P, G, 3]; the texts as a whole, known links, the base.
        practice_tower_logits: [P, D, G]; with ``practice_texts`` and ``practice_rest`` it adds up to the logit.
        target_texts, target_towers: [G, T', P]. target_rest: [G, P, 3]. target_tower_logits: [G, P].
    """

    practice_texts: FloatArray
    practice_towers: FloatArray
    practice_rest: FloatArray
    practice_tower_logits: FloatArray
    target_texts: FloatArray
    target_towers: FloatArray
    target_rest: FloatArray
    target_tower_logits: FloatArray


@dataclass(frozen=True)
class FieldPart:
    """One field of the record that was asked about: what its text and what the towers add through it, log odds.

    ``text`` names an indication, pathway, tissue or disease association; it is empty for other kinds.
    """

    kind: str
    text: str
    text_match: float
    towers: float


@dataclass(frozen=True)
class ScoreParts:
    """A logit by its parts, log odds: ``logit`` is the sum of the fields' ``text_match``, ``whole_text``, ``known_links``,
    ``towers`` and ``base``. What the fields lose of ``towers`` by occlusion does not add up to it."""

    fields: tuple[FieldPart, ...]
    whole_text: float
    known_links: float
    towers: float
    base: float

    @property
    def logit(self) -> float:
        """The score before calibration."""
        exact = sum(part.text_match for part in self.fields)
        return exact + self.whole_text + self.known_links + self.towers + self.base


class PublishedFieldShares:
    """The shares of a model folder by practice slug and target symbol."""

    def __init__(
        self, shares: FieldShares, catalogue: tuple[Sequence[str], Sequence[str]], names: dict[str, Any]
    ) -> None:
        self._shares, self._names = shares, names
        self._practices, self._targets = ({name: row for row, name in enumerate(side)} for side in catalogue)

    def of_practice(self, slug: str, dose: str, symbol: str) -> ScoreParts:
        """The parts of a practice's score for a target.

        Raises:
            KeyError: the model knows no such practice, dose or target.
        """
        row, column, level = self._practices[slug], self._targets[symbol], DOSES.index(dose)
        shares, fields_of = self._shares, self._names["practices"][row]
        towers = shares.practice_towers[row, level, :, column]
        texts = np.concatenate([[0.0], shares.practice_texts[row, :, column]])
        return _parts(
            [(DOSE, ""), *map(tuple, fields_of)],
            texts,
            towers,
            shares.practice_rest[row, column],
            shares.practice_tower_logits[row, level, column],
        )

    def of_target(self, symbol: str, slug: str) -> ScoreParts:
        """The parts of a target's score for a practice.

        Raises:
            KeyError: the model knows no such practice or target.
        """
        row, column = self._targets[symbol], self._practices[slug]
        shares = self._shares
        return _parts(
            list(map(tuple, self._names["targets"][row])),
            shares.target_texts[row, :, column],
            shares.target_towers[row, :, column],
            shares.target_rest[row, column],
            shares.target_tower_logits[row, column],
        )


def write_field_shares(
    folder: Path, shares: FieldShares, practices: Sequence[PracticeRecord], targets: Sequence[TargetRecord]
) -> None:
    """Write both files; the records are those that the model reads (``dataset.records_as_read``)."""
    save_file({name: np.ascontiguousarray(value) for name, value in vars(shares).items()}, str(folder / ARRAYS))
    names = {
        "practices": [[_practice_field(token) for token in practice_tokens(record)] for record in practices],
        "targets": [[_target_field(token) for token in target_tokens(record)] for record in targets],
    }
    write_json(folder / NAMES, names)


def read_field_shares(folder: Path) -> PublishedFieldShares | None:
    """The shares of a model folder; None for a model that was trained before they were kept.

    Raises:
        FieldSharesError: see the class.
    """
    if not (folder / ARRAYS).exists():
        return None
    try:
        arrays = load_file(str(folder / ARRAYS))
        names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
        shares = FieldShares(**{field.name: arrays[field.name] for field in fields(FieldShares)})
        catalogue = read_catalogue(folder)
        sides = names["practices"], names["targets"]
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise FieldSharesError(f"{folder.name}: {error!r}") from error
    counts = tuple(len(side) for side in catalogue)
    shape = shares.practice_rest.shape[:2]
    if shape != counts or shares.target_rest.shape[:2] != counts[::-1] or tuple(map(len, sides)) != counts:
        raise FieldSharesError(f"{folder.name}: the field shares do not have the shape of the catalogue")
    return PublishedFieldShares(shares, catalogue, names)


def _parts(
    names: Sequence[tuple[str, str]], texts: FloatArray, towers: FloatArray, rest: FloatArray, tower_logit: float
) -> ScoreParts:
    whole, links, base = (float(value) for value in rest)
    return ScoreParts(
        fields=tuple(
            FieldPart(kind, text, float(texts[place]), float(towers[place])) for place, (kind, text) in enumerate(names)
        ),
        whole_text=whole,
        known_links=links,
        towers=float(tower_logit),
        base=base,
    )


def _practice_field(token: Token) -> tuple[str, str]:
    return (INDICATION, token.text) if token.slot >= FIRST_INDICATION_SLOT else (PRACTICE_KINDS[token.slot], "")


def _target_field(token: Token) -> tuple[str, str]:
    return (TARGET_KINDS[token.slot], "" if token.slot == IDENTITY_SLOT else token.text)
