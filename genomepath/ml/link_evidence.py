"""Link evidence: what the known links of similar and of co-linked records say of a pair.

A practices and C targets are asked about, inside or outside a catalogue of P practices and G targets with known links
[P, G] (training side alone). Every feature of a pair is computed without the label of that pair, so that a model that
learns from the features cannot read the answer in them; a property test holds that. Similarity is exp((cosine - 1) / 0.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genomepath.ml.late_interaction import Records

LINK_FEATURES: tuple[str, ...] = (
    "links of the target",
    "links of the practice",
    "similar practices",
    "similar targets",
    "practices with a similar field",
    "targets with a similar field",
    "mean co-link of targets",
    "best co-link of targets",
    "mean co-link of practices",
    "best co-link of practices",
)

TARGET_LINK_FEATURES = frozenset({"links of the target", "similar practices", "practices with a similar field"})
"""Need other links of the target; the co-links need other links of both."""
PRACTICE_LINK_FEATURES = frozenset({"links of the practice", "similar targets", "targets with a similar field"})

_TEMPERATURE = 0.1
_PRIOR_WEIGHT = 0.3
_LOG_FLOOR = 0.01
_TINY = 1e-9


@dataclass(frozen=True)
class Catalogue:
    """All practices and all targets with their known links, float [P, G] of 0 and 1."""

    practices: Records
    targets: Records
    links: Tensor


@dataclass(frozen=True)
class _Asked:
    """One side of the question: N records, and the known links of each to the M records of the other side.

    ``is_row`` bool [N, K] says which of the K records of its own side in the catalogue a record is: at most one.
    """

    records: Records
    links: Tensor
    is_row: Tensor

    @property
    def counts(self) -> Tensor:
        """Number of links of each record, [N, 1]."""
        return self.links.sum(dim=1, keepdim=True)


def link_evidence(
    practices: Records, practice_rows: Tensor, targets: Records, target_rows: Tensor, catalogue: Catalogue
) -> tuple[Tensor, Tensor]:
    """Features [A, C, F] in the order of ``LINK_FEATURES``, and where a pair has them, bool [A, C, F].

    Args:
        practice_rows, target_rows: int64 [A] and [C]; the row of each record in the catalogue, or ``OUTSIDE``.

    A record outside the catalogue has no links of its own: features that need them are 0 and not there.
    """
    links = catalogue.links
    practice = _asked(practices, practice_rows, links)
    target = _asked(targets, target_rows, links.T)
    own = practice.links @ target.is_row.to(links.dtype).T
    forward = _one_side(practice, target, catalogue.practices, links, own)
    backward = [part.T for part in _one_side(target, practice, catalogue.targets, links.T, own.T)]
    features = [forward[0], backward[0], forward[1], backward[1], forward[2], backward[2], *forward[3:], *backward[3:]]
    knows_target, knows_practice = forward[0] > 0, backward[0] > 0
    lacks_target, lacks_practice = without_links_of("target"), without_links_of("practice")
    there = (knows_target.unsqueeze(2) | ~lacks_target) & (knows_practice.unsqueeze(2) | ~lacks_practice)
    stacked = torch.stack(features, dim=2)
    return torch.where(there, stacked, torch.zeros_like(stacked)), there


def without_links_of(side: str) -> Tensor:
    """Which of ``LINK_FEATURES`` a pair lacks whose ``side`` ("practice" or "target") has no links, bool [F]."""
    others = TARGET_LINK_FEATURES if side == "practice" else PRACTICE_LINK_FEATURES
    return torch.tensor([name not in others for name in LINK_FEATURES])


def _asked(records: Records, rows: Tensor, links: Tensor) -> _Asked:
    is_row = rows[:, None] == torch.arange(links.shape[0])[None, :]
    return _Asked(records, is_row.to(links.dtype) @ links, is_row)


def _one_side(first: _Asked, second: _Asked, others: Records, links: Tensor, own: Tensor) -> list[Tensor]:
    """Five features [N, M] that look from the first side: number of links of the second, similar records, records with a
    similar field, mean and best co-link. ``others`` are the K records of the first side's catalogue, ``links`` [K, L],
    ``own`` [N, M] the labels to leave out."""
    count = second.counts.T - own
    text = _similarity(first.records.text @ others.text.T, first.is_row)
    similar = text @ second.links.T / text.sum(dim=1, keepdim=True).clamp(min=_TINY)
    prior = count / (links.shape[0] - first.is_row.any(dim=1).to(own.dtype)).clamp(min=1.0)[:, None]
    field = _similar_field(first, second, others, prior)
    return [count, similar, field, *_co_links(first, second, links, own)]


def _similarity(cosines: Tensor, itself: Tensor) -> Tensor:
    """Weight of each record of the catalogue; a record is no evidence for itself."""
    return ((cosines - 1.0) / _TEMPERATURE).exp().masked_fill(itself, 0.0)


def _similar_field(first: _Asked, second: _Asked, others: Records, prior: Tensor) -> Tensor:
    """Log of the highest share, over the fields of a record, of links among records with a field like it, [N, M]."""
    tokens, size = first.records.tokens, others.tokens.shape
    cosines = (tokens @ others.tokens.reshape(-1, size[2]).T).reshape(*tokens.shape[:2], size[0], size[1])
    cosines = cosines.masked_fill(~others.mask[None, None], -1.0).amax(dim=3)
    weight = _similarity(cosines, first.is_row.unsqueeze(1))
    found = weight @ second.links.T + _PRIOR_WEIGHT * prior.unsqueeze(1)
    share = found / (weight.sum(dim=2, keepdim=True) + _PRIOR_WEIGHT)
    best = share.masked_fill(~first.records.telling.unsqueeze(2), 0.0).amax(dim=1)
    return (best + _LOG_FLOOR).log()


def _co_links(first: _Asked, second: _Asked, links: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and best closeness [N, M] of a record of the second side to the other records that the first is linked with.

    Two records of the second side are close when the same records are linked with both: number of those by the geometric
    mean of their numbers of links (plus one), all without the record that is asked about.
    """
    known = first.links[:, None, :]
    shared = (second.links @ links)[None] - own[:, :, None] * known
    one = (second.counts.T - own)[:, :, None]
    other = (links.sum(dim=0)[None, :] - first.links)[:, None, :]
    close = shared / ((one + 1.0) * (other + 1.0)).sqrt()
    close = close * known * (~second.is_row).to(close.dtype)[None]
    number = (first.counts - own).clamp(min=1.0)
    return close.sum(dim=2) / number, close.amax(dim=2)
