"""Scores and shared-space vectors from a trained model, without gradients and without augmentation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genomepath.ml.augmentation import DOSE_COUNT, TokenBatch, practice_dose_batch, target_batch
from genomepath.ml.dataset import FloatArray, IntArray, TextFeatures
from genomepath.ml.embedding import TextEncoder
from genomepath.ml.field_encoder import Encoded
from genomepath.ml.fields import DOSE_SLOT
from genomepath.ml.late_interaction import practice_records, target_records
from genomepath.ml.model import DualTower, mean_for_new
from genomepath.ml.pair_scorer import NEW_PRACTICE, NEW_TARGET, catalogue_of
from genomepath.ml.records import OUTSIDE, practice_features, target_features
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import PracticeRecord, TargetRecord

_CHUNK = 32
_OUTSIDE = torch.tensor([OUTSIDE])


@dataclass(frozen=True)
class CatalogueEncoding:
    """The encoded catalogue in chunks of records of similar length, and the banks that the other side attends over.

    ``practice_bank`` [R, W] holds every practice at every dose, row = practice x 3 + dose; ``target_bank`` [G, W]. The
    orders say which row each encoded record is, chunk after chunk.
    """

    practices: tuple[Encoded, ...]
    practice_order: Tensor
    practice_bank: Tensor
    targets: tuple[Encoded, ...]
    target_order: Tensor
    target_bank: Tensor


@dataclass(frozen=True)
class SharedVectors:
    """Unit vectors of the catalogue in the shared space: ``practices`` float32 [P, D, S], ``targets`` [G, S]."""

    practices: FloatArray
    targets: FloatArray


@dataclass(frozen=True)
class NewPracticeScores:
    """Targets for a practice outside the catalogue: its logits, and those of the shared space alone, float32 [D, G]."""

    logits: FloatArray
    shared_space: FloatArray


@dataclass(frozen=True)
class NewTargetScores:
    """Practices for a target outside the catalogue.

    Attributes:
        genomic_to_tk: float32 [P].
        tk_to_genomic: float32 [P, D]; without the head, which has no output for such a target.
        shared_space: float32 [P, D]; logits of the shared space alone.
    """

    genomic_to_tk: FloatArray
    tk_to_genomic: FloatArray
    shared_space: FloatArray


def as_tensors(batch: TokenBatch) -> tuple[Tensor, Tensor, Tensor]:
    """The batch as torch tensors: tokens, slots, mask."""
    return (
        torch.from_numpy(np.ascontiguousarray(batch.tokens)),
        torch.from_numpy(np.ascontiguousarray(batch.slots)),
        torch.from_numpy(np.ascontiguousarray(batch.mask)),
    )


@torch.no_grad()
def encode_catalogue(model: DualTower, features: TextFeatures) -> CatalogueEncoding:
    """Encode every practice at every dose and every target; leaves the model in evaluation mode."""
    model.eval()
    practice_chunks = _chunks_by_length(np.repeat(features.practice_mask.sum(axis=1), DOSE_COUNT))
    target_chunks = _chunks_by_length(features.target_mask.sum(axis=1))
    practices = tuple(
        model.practice_encoder(*as_tensors(practice_dose_batch(features, rows))) for rows in practice_chunks
    )
    targets = tuple(model.target_encoder(*as_tensors(target_batch(features, rows))) for rows in target_chunks)
    practice_order = torch.from_numpy(np.concatenate(practice_chunks))
    target_order = torch.from_numpy(np.concatenate(target_chunks))
    return CatalogueEncoding(
        practices=practices,
        practice_order=practice_order,
        practice_bank=_in_row_order([chunk.pooled for chunk in practices], practice_order),
        targets=targets,
        target_order=target_order,
        target_bank=_in_row_order([chunk.pooled for chunk in targets], target_order),
    )


@torch.no_grad()
def catalogue_logits(model: DualTower, encoding: CatalogueEncoding, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of the whole catalogue: TK->G [P, D, G] and G->TK [G, P].

    ``pairs`` [P, G, F] are the standardised pair features (``PairScorer.catalogue_features``).
    """
    forward = _in_row_order(
        [model.tk_to_genomic(chunk, encoding.target_bank) for chunk in encoding.practices], encoding.practice_order
    )
    backward = _in_row_order(
        [model.genomic_to_tk(chunk, encoding.practice_bank) for chunk in encoding.targets], encoding.target_order
    )
    forward = mean_for_new(forward, pairs[..., NEW_TARGET].repeat_interleave(DOSE_COUNT, dim=0))
    backward = mean_for_new(backward, pairs[..., NEW_PRACTICE].T)
    forward = forward + model.practice_cosines(encoding.practice_bank, encoding.target_bank)
    backward = backward + model.target_cosines(encoding.target_bank, encoding.practice_bank)
    by_dose = forward.view(-1, DOSE_COUNT, forward.shape[1]) + model.pairs.tk_to_genomic(pairs).unsqueeze(1)
    return by_dose.contiguous(), (backward + model.pairs.genomic_to_tk(pairs)).contiguous()


def score_catalogue(model: DualTower, features: TextFeatures, encoding: CatalogueEncoding | None = None) -> Scores:
    """Logits of every practice x dose x target, and of every target x practice.

    ``encoding`` is the catalogue as the model encodes it, where it is at hand; it does not depend on known links.
    """
    pairs = model.pairs.catalogue_features(features)
    forward, backward = catalogue_logits(model, encoding or encode_catalogue(model, features), pairs)
    return Scores(tk_to_genomic=forward.numpy(), genomic_to_tk=backward.numpy(), log_odds=True)


@torch.no_grad()
def shared_vectors(model: DualTower, features: TextFeatures) -> SharedVectors:
    """Where the catalogue lies in the shared space."""
    encoding = encode_catalogue(model, features)
    practices = model.shared_practice(encoding.practice_bank)
    targets = model.shared_target(encoding.target_bank)
    return SharedVectors(practices.view(-1, DOSE_COUNT, practices.shape[1]).numpy(), targets.numpy())


@torch.no_grad()
def score_new_practice(
    model: DualTower, features: TextFeatures, encoder: TextEncoder, record: PracticeRecord
) -> NewPracticeScores:
    """Targets for a practice outside the catalogue; free text goes into ``record.title``."""
    encoding = encode_catalogue(model, features)
    found = practice_features(record, encoder)
    tokens, slots, mask = (np.repeat(part, DOSE_COUNT, axis=0) for part in (found.tokens, found.slots, found.mask))
    batch = TokenBatch(
        np.concatenate([features.dose_tokens[:, None, :], tokens], axis=1),
        np.concatenate([np.full((DOSE_COUNT, 1), DOSE_SLOT, dtype=np.int64), slots], axis=1),
        np.concatenate([np.ones((DOSE_COUNT, 1), dtype=bool), mask], axis=1),
    )
    encoded = model.practice_encoder(*as_tensors(batch))
    shared = model.shared_logits(model.shared_practice(encoded.pooled), model.shared_target(encoding.target_bank))
    catalogue = catalogue_of(features, model.pairs.links)
    rows = torch.arange(len(features.target_mask))
    pairs = model.pairs.standardised(practice_records(found), _OUTSIDE, catalogue.targets, rows, catalogue)
    logits = model.practice_logits(encoded, encoding.target_bank, pairs.expand(DOSE_COUNT, -1, -1))
    return NewPracticeScores(logits.numpy(), shared.numpy())


@torch.no_grad()
def score_new_target(
    model: DualTower, features: TextFeatures, encoder: TextEncoder, record: TargetRecord
) -> NewTargetScores:
    """Practices for a target outside the catalogue, given by name, pathways, tissues and diseases."""
    encoding = encode_catalogue(model, features)
    found = target_features(record, encoder)
    encoded = model.target_encoder(*as_tensors(TokenBatch(found.tokens, found.slots, found.mask)))
    catalogue = catalogue_of(features, model.pairs.links)
    rows = torch.arange(len(features.practice_mask))
    pairs = model.pairs.standardised(catalogue.practices, rows, target_records(found), _OUTSIDE, catalogue)
    backward = model.target_logits(encoded, encoding.practice_bank, pairs)[0]
    cosines = model.practice_cosines(encoding.practice_bank, encoded.pooled).view(-1, DOSE_COUNT)
    shared = model.shared_logits(model.shared_practice(encoding.practice_bank), model.shared_target(encoded.pooled))
    return NewTargetScores(
        genomic_to_tk=backward.numpy(),
        tk_to_genomic=(cosines + model.pairs.tk_to_genomic(pairs)).numpy(),
        shared_space=shared.view(-1, DOSE_COUNT).numpy(),
    )


def _chunks_by_length(lengths: IntArray) -> list[IntArray]:
    order = np.argsort(lengths, kind="stable")
    return [order[start : start + _CHUNK] for start in range(0, len(order), _CHUNK)]


def _in_row_order(chunks: list[Tensor], order: Tensor) -> Tensor:
    values = torch.cat(chunks)
    return torch.empty_like(values).index_copy_(0, order, values)
