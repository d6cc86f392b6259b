"""What the model and the baselines learn from: a truth matrix and the token embeddings of every record.

P practices, G targets, D = 3 doses, E = 384 embedding dimensions throughout. Imports neither torch nor Django.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genomepath.ml.embedding import TextEncoder
from genomepath.ml.fields import (
    DOSE_PHRASES,
    mask_conditions,
    practice_text,
    practice_tokens,
    practice_variants,
    snapshot_conditions,
    target_text,
    target_tokens,
    target_variants,
)
from genomepath.ml.lexical import word_bag
from genomepath.ml.records import RecordFeatures, TextVectors, condition_texts, pad_tokens
from genomepath.ml.snapshot import DOSES, PracticeRecord, Snapshot, TargetRecord

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

QUALITY_LEVELS: Mapping[str, int] = {"none": 0, "poor": 1, "moderate": 2, "good": 3}


class DatasetError(ValueError):
    """The snapshot cannot be turned into training data."""


@dataclass(frozen=True)
class TruthMatrix:
    """Known associations, found in either direction.

    Attributes:
        practices: slugs in row order.
        targets: HGNC symbols in column order.
        confidence: float32 [P, D, G]; highest confidence of (practice, dose, target) in either direction, 0 where none.
        quality_of_pair: int64 [P, G]; best quality of the pair, 0 none, 1 poor, 2 moderate, 3 good.
        unseen_practices, unseen_targets: rows and columns of which nothing is known yet, neither links nor that there are
            none; a record without links that is not among them was looked at.
    """

    practices: tuple[str, ...]
    targets: tuple[str, ...]
    confidence: FloatArray
    quality_of_pair: IntArray
    unseen_practices: frozenset[int] = frozenset()
    unseen_targets: frozenset[int] = frozenset()

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> TruthMatrix:
        """Build the matrix over the whole catalogue of ``snapshot``.

        Raises:
            DatasetError: no practices, no targets, or an unknown quality.
        """
        practices = {record.slug: index for index, record in enumerate(snapshot.practices)}
        targets = {record.symbol: index for index, record in enumerate(snapshot.targets)}
        if not practices or not targets:
            raise DatasetError("the snapshot holds no practice or no target")
        doses = {dose: index for index, dose in enumerate(DOSES)}
        confidence = np.zeros((len(practices), len(DOSES), len(targets)), dtype=np.float32)
        quality = np.zeros((len(practices), len(targets)), dtype=np.int64)
        for row in snapshot.correlations:
            if row.quality not in QUALITY_LEVELS:
                raise DatasetError(f"correlation {row.practice} / {row.target}: unknown quality {row.quality!r}")
            practice, dose, target = practices[row.practice], doses[row.dose], targets[row.target]
            confidence[practice, dose, target] = max(confidence[practice, dose, target], row.confidence)
            quality[practice, target] = max(quality[practice, target], QUALITY_LEVELS[row.quality])
        return cls(tuple(practices), tuple(targets), confidence, quality)

    @property
    def pairs(self) -> BoolArray:
        """Known pairs over all doses, bool [P, G]."""
        return np.asarray((self.confidence > 0).any(axis=1), dtype=np.bool_)

    @property
    def pair_confidence(self) -> FloatArray:
        """Highest confidence of a pair over the doses, float32 [P, G]."""
        highest: FloatArray = self.confidence.max(axis=1)
        return highest

    @property
    def seen_practices(self) -> BoolArray:
        """Practices of which it is known what they are linked with, bool [P]."""
        return ~np.isin(np.arange(len(self.practices)), list(self.unseen_practices))

    @property
    def seen_targets(self) -> BoolArray:
        """Targets of which it is known what they are linked with, bool [G]."""
        return ~np.isin(np.arange(len(self.targets)), list(self.unseen_targets))

    @property
    def seen_cells(self) -> BoolArray:
        """Pairs of a seen practice and a seen target, bool [P, G]."""
        return np.logical_and.outer(self.seen_practices, self.seen_targets)

    def without_pairs(self, mask: BoolArray) -> TruthMatrix:
        """The matrix with the masked pairs (bool [P, G]) zero over all doses; they count as negatives."""
        return self.only_pairs(~mask)

    def only_pairs(self, mask: BoolArray) -> TruthMatrix:
        """The matrix with the masked pairs (bool [P, G]) alone."""
        if mask.shape != self.quality_of_pair.shape:
            raise DatasetError(f"mask {mask.shape} does not fit the matrix {self.quality_of_pair.shape}")
        return replace(
            self,
            confidence=np.where(mask[:, None, :], self.confidence, np.float32(0.0)),
            quality_of_pair=np.where(mask, self.quality_of_pair, 0),
        )


@dataclass(frozen=True)
class Variant:
    """Another wording of one token: ``vector`` float32 [E] may stand for token ``token`` of record ``row``."""

    row: int
    token: int
    vector: FloatArray


@dataclass(frozen=True)
class TextFeatures:
    """Embeddings of every field, each unique text encoded once; padding is zero and False in the mask.

    Attributes:
        practice_tokens: float32 [P, Tp, E]; name, preparation, cultural context, then the indications in their order.
        practice_slots: int64 [P, Tp]; which field a token is (``fields.PRACTICE_SLOTS``).
        practice_mask: bool [P, Tp].
        target_tokens, target_slots, target_mask: the same for targets, [G, Tg, ...] (``fields.TARGET_SLOTS``).
        dose_tokens: float32 [D, E].
        practice_text, target_text: float32 [P, E] and [G, E]; all fields of a record as one text.
        practice_words, target_words, practice_condition_words, target_condition_words: see ``RecordFeatures``.
        practice_variants, target_variants: synonyms for augmentation.
        dose_variants: float32 [D, V, E]; V wordings of each dose, the first being ``dose_tokens``.
        conditions_dropped: built without condition fields.
    """

    practice_tokens: FloatArray
    practice_slots: IntArray
    practice_mask: BoolArray
    target_tokens: FloatArray
    target_slots: IntArray
    target_mask: BoolArray
    dose_tokens: FloatArray
    practice_text: FloatArray
    target_text: FloatArray
    practice_words: FloatArray
    target_words: FloatArray
    practice_condition_words: FloatArray
    target_condition_words: FloatArray
    practice_variants: tuple[Variant, ...]
    target_variants: tuple[Variant, ...]
    dose_variants: FloatArray
    conditions_dropped: bool

    @property
    def practices(self) -> RecordFeatures:
        """The practices of the catalogue."""
        return RecordFeatures(
            self.practice_tokens,
            self.practice_slots,
            self.practice_mask,
            self.practice_text,
            self.practice_words,
            self.practice_condition_words,
        )

    @property
    def targets(self) -> RecordFeatures:
        """The targets of the catalogue."""
        return RecordFeatures(
            self.target_tokens,
            self.target_slots,
            self.target_mask,
            self.target_text,
            self.target_words,
            self.target_condition_words,
        )


def build_text_features(snapshot: Snapshot, encoder: TextEncoder, drop_conditions: bool = False) -> TextFeatures:
    """Encode every field of the snapshot.

    ``drop_conditions`` leaves out indications and disease associations, and takes condition names out of titles,
    preparations and cultural contexts: what is left cannot match a practice to a target by a shared condition name.
    """
    return _features(*records_as_read(snapshot, drop_conditions), encoder, drop_conditions)


def records_as_read(
    snapshot: Snapshot, drop_conditions: bool = False
) -> tuple[tuple[PracticeRecord, ...], tuple[TargetRecord, ...]]:
    """Practices and targets with the fields that a model reads; ``drop_conditions`` as in ``build_text_features``."""
    if not drop_conditions:
        return snapshot.practices, snapshot.targets
    conditions = snapshot_conditions(snapshot)
    return (
        tuple(_practice_without_conditions(record, conditions) for record in snapshot.practices),
        tuple(replace(record, diseases=()) for record in snapshot.targets),
    )


def _features(
    practices: Sequence[PracticeRecord], targets: Sequence[TargetRecord], encoder: TextEncoder, dropped: bool
) -> TextFeatures:
    practice_rows = [practice_tokens(record) for record in practices]
    target_rows = [target_tokens(record) for record in targets]
    practice_texts = [practice_text(record) for record in practices]
    target_texts = [target_text(record) for record in targets]
    practice_synonyms = [practice_variants(tokens) for tokens in practice_rows]
    target_synonyms = [target_variants(record) for record in targets]
    texts = [token.text for row in (*practice_rows, *target_rows) for token in row]
    texts += [text for row in (*practice_synonyms, *target_synonyms) for _, text in row]
    texts += [*practice_texts, *target_texts, *(phrase for dose in DOSES for phrase in DOSE_PHRASES[dose])]
    vectors = TextVectors(encoder, texts)
    practice_arrays, target_arrays = pad_tokens(practice_rows, vectors), pad_tokens(target_rows, vectors)
    doses = np.stack([vectors.of(DOSE_PHRASES[dose]) for dose in DOSES])
    return TextFeatures(
        practice_tokens=practice_arrays[0],
        practice_slots=practice_arrays[1],
        practice_mask=practice_arrays[2],
        target_tokens=target_arrays[0],
        target_slots=target_arrays[1],
        target_mask=target_arrays[2],
        dose_tokens=doses[:, 0],
        practice_text=vectors.of(practice_texts),
        target_text=vectors.of(target_texts),
        practice_words=np.stack([word_bag([text]) for text in practice_texts]),
        target_words=np.stack([word_bag([text]) for text in target_texts]),
        practice_condition_words=np.stack([word_bag(condition_texts(record)) for record in practices]),
        target_condition_words=np.stack([word_bag(condition_texts(record)) for record in targets]),
        practice_variants=_variants(practice_synonyms, vectors),
        target_variants=_variants(target_synonyms, vectors),
        dose_variants=doses,
        conditions_dropped=dropped,
    )


def _variants(rows: Sequence[Sequence[tuple[int, str]]], vectors: TextVectors) -> tuple[Variant, ...]:
    return tuple(
        Variant(row=index, token=token, vector=vectors.of([text])[0])
        for index, row in enumerate(rows)
        for token, text in row
    )


def _practice_without_conditions(record: PracticeRecord, conditions: Sequence[str]) -> PracticeRecord:
    own = record.indications
    return replace(
        record,
        title=mask_conditions(record.title, conditions, own),
        preparation=mask_conditions(record.preparation, conditions, own),
        cultural_context=mask_conditions(record.cultural_context, conditions, own),
        indications=(),
    )
