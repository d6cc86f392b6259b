"""Training-side augmentation of token batches; validation and scoring never see it.

Every draw comes from a generator made from (seed, epoch), so an epoch can be repeated without stored state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genomepath.ml.config import AugmentationConfig
from genomepath.ml.dataset import BoolArray, FloatArray, IntArray, TextFeatures, Variant
from genomepath.ml.fields import DOSE_SLOT, FIRST_INDICATION_SLOT
from genomepath.ml.snapshot import DOSES

_SYNONYM_PROBABILITY = 0.3
_DOSE_PROBABILITY = 0.3
DOSE_COUNT = len(DOSES)


@dataclass(frozen=True)
class TokenBatch:
    """Tokens of B records: ``tokens`` float32 [B, T, E], ``slots`` int64 [B, T], ``mask`` bool [B, T]."""

    tokens: FloatArray
    slots: IntArray
    mask: BoolArray


def practice_dose_batch(features: TextFeatures, rows: IntArray) -> TokenBatch:
    """Tokens of practice-dose rows (row = practice x 3 + dose), the dose token in front."""
    return _with_dose(_practices(features, rows // DOSE_COUNT), features.dose_tokens[rows % DOSE_COUNT])


def target_batch(features: TextFeatures, rows: IntArray) -> TokenBatch:
    """Tokens of targets."""
    return _trim(TokenBatch(features.target_tokens[rows], features.target_slots[rows], features.target_mask[rows]))


class Augmenter:
    """Draws augmented batches of one epoch.

    ``dose``: the dose in another wording. ``synonym``: indications and target identities in another wording.
    ``indication_order``: the indications of a practice in random order. ``target_sampling``: of a target with many
    terms a random sample, its identity always kept.
    """

    def __init__(self, features: TextFeatures, config: AugmentationConfig, rng: np.random.Generator) -> None:
        self._features = features
        self._config = config
        self._rng = rng
        self._practice_variants = _by_row(features.practice_variants)
        self._target_variants = _by_row(features.target_variants)

    def practice_doses(self, rows: IntArray) -> TokenBatch:
        """Augmented tokens of practice-dose rows."""
        features, practices = self._features, rows // DOSE_COUNT
        batch = _practices(features, practices)
        if self._config.synonym:
            self._substitute(batch, practices, self._practice_variants)
        if self._config.indication_order:
            self._shuffle_indications(batch)
        doses = rows % DOSE_COUNT
        wording = np.zeros(len(rows), dtype=np.int64)
        if self._config.dose:
            changed = self._rng.random(len(rows)) < _DOSE_PROBABILITY
            wording[changed] = self._rng.integers(features.dose_variants.shape[1], size=int(changed.sum()))
        return _with_dose(batch, features.dose_variants[doses, wording])

    def targets(self, rows: IntArray) -> TokenBatch:
        """Augmented tokens of targets."""
        features = self._features
        mask = features.target_mask[rows].copy()
        if self._config.target_sampling:
            for index in range(len(rows)):
                self._sample_terms(mask[index])
        batch = TokenBatch(features.target_tokens[rows].copy(), features.target_slots[rows].copy(), mask)
        if self._config.synonym:
            self._substitute(batch, rows, self._target_variants)
        return _trim(_compact(batch))

    def _substitute(self, batch: TokenBatch, rows: IntArray, variants: dict[int, dict[int, list[FloatArray]]]) -> None:
        for index, row in enumerate(rows):
            for token, vectors in variants.get(int(row), {}).items():
                if self._rng.random() < _SYNONYM_PROBABILITY:
                    batch.tokens[index, token] = vectors[int(self._rng.integers(len(vectors)))]

    def _shuffle_indications(self, batch: TokenBatch) -> None:
        for index in range(len(batch.mask)):
            places = np.flatnonzero((batch.slots[index] >= FIRST_INDICATION_SLOT) & batch.mask[index])
            batch.tokens[index, places] = batch.tokens[index, self._rng.permutation(places)]

    def _sample_terms(self, mask: BoolArray) -> None:
        terms = np.flatnonzero(mask)[1:]
        surplus = len(terms) - self._config.max_target_terms
        if surplus > 0:
            mask[self._rng.choice(terms, size=surplus, replace=False)] = False


def _practices(features: TextFeatures, practices: IntArray) -> TokenBatch:
    return TokenBatch(
        features.practice_tokens[practices].copy(),
        features.practice_slots[practices].copy(),
        features.practice_mask[practices].copy(),
    )


def _with_dose(batch: TokenBatch, doses: FloatArray) -> TokenBatch:
    count = len(doses)
    return _trim(
        TokenBatch(
            np.concatenate([doses[:, None, :], batch.tokens], axis=1),
            np.concatenate([np.full((count, 1), DOSE_SLOT, dtype=np.int64), batch.slots], axis=1),
            np.concatenate([np.ones((count, 1), dtype=bool), batch.mask], axis=1),
        )
    )


def _compact(batch: TokenBatch) -> TokenBatch:
    """Move the kept tokens of each record to the front, in their order."""
    order = np.argsort(~batch.mask, axis=1, kind="stable")
    return TokenBatch(
        np.take_along_axis(batch.tokens, order[:, :, None], axis=1),
        np.take_along_axis(batch.slots, order, axis=1),
        np.take_along_axis(batch.mask, order, axis=1),
    )


def _trim(batch: TokenBatch) -> TokenBatch:
    """Cut the padding that no record of the batch needs."""
    length = int(batch.mask.sum(axis=1).max())
    return TokenBatch(batch.tokens[:, :length], batch.slots[:, :length], batch.mask[:, :length])


def _by_row(variants: Sequence[Variant]) -> dict[int, dict[int, list[FloatArray]]]:
    table: dict[int, dict[int, list[FloatArray]]] = defaultdict(lambda: defaultdict(list))
    for variant in variants:
        table[variant.row][variant.token].append(variant.vector)
    return {row: dict(tokens) for row, tokens in table.items()}
