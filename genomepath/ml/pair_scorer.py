"""One linear layer a direction over what is known of a pair: late interaction of the texts, and link evidence.

It has weights for each *view* of a pair: both records seen, a new practice, a new target. A record is new while nothing is
known of its links, as every record outside the catalogue is; evidence from its own links is then missing, and a layer
that leans on that evidence would score such a pair on another scale than its competitors. Each view starts from a ridge
logistic regression on the training side (convex, so the same on every run), for which all seen records are treated as
if they were new, in the manner of DropoutNet (Volkovs, Yu and Poutanen 2017). The layers are trained on with the towers.
A practices, C targets, F features, V views.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from genomepath.ml.dataset import TextFeatures, TruthMatrix
from genomepath.ml.late_interaction import TEXT_FEATURES, Records, late_interaction, practice_records, target_records
from genomepath.ml.link_evidence import LINK_FEATURES, Catalogue, link_evidence, without_links_of

PAIR_FEATURES: tuple[str, ...] = (*TEXT_FEATURES, *LINK_FEATURES)
VIEWS: tuple[str, ...] = ("both seen", "new practice", "new target")
"""A pair of a new practice and a new target counts as one of a new practice."""
NEW_PRACTICE, NEW_TARGET = len(PAIR_FEATURES) + 1, len(PAIR_FEATURES) + 2
"""Where the standardised features of a pair say that it is of that view."""
INVERSE_REGULARISATION = 0.01
INVERSE_REGULARISATION_OF_NEW = 0.03
QUERY_EFFECT = 10.0
"""Of the starting regressions; chosen on inner folds (docs/model_choices.md)."""

_CHUNK = 32


class PairScorer(nn.Module):
    """Logits of pairs; ``links`` [P, G] are the known links that evidence is taken from, stored with the weights, and
    ``seen_practices`` [P] and ``seen_targets`` [G] say of which records links are known."""

    links: Tensor
    seen_practices: Tensor
    seen_targets: Tensor
    mean: Tensor
    deviation: Tensor
    kept: Tensor

    def __init__(self, practices: int, targets: int, *, texts: bool = True, evidence: bool = True) -> None:
        """``texts`` and ``evidence`` say which features count; the others are always 0."""
        super().__init__()
        size = len(PAIR_FEATURES)
        kept = [float(texts)] * len(TEXT_FEATURES) + [float(evidence)] * len(LINK_FEATURES)
        self.register_buffer("kept", torch.tensor(kept), persistent=False)
        self.register_buffer("links", torch.zeros(practices, targets))
        self.register_buffer("seen_practices", torch.ones(practices))
        self.register_buffer("seen_targets", torch.ones(targets))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.forward_layer = nn.Linear(size, len(VIEWS))
        self.backward_layer = nn.Linear(size, len(VIEWS))

    def standardised(
        self, practices: Records, practice_rows: Tensor, targets: Records, target_rows: Tensor, catalogue: Catalogue
    ) -> Tensor:
        """Features [A, C, F + V]: in units of their deviation over the catalogue, one that a pair lacks at the mean, 0; then
        the pair's view, 1 in one of V places."""
        features, present = _features(practices, practice_rows, targets, target_rows, catalogue)
        scaled = torch.where(present, self.kept * (features - self.mean) / self.deviation, torch.zeros_like(features))
        new_practice = 1.0 - _seen(practice_rows, self.seen_practices)[:, None, None].expand(*scaled.shape[:2], 1)
        new_target = 1.0 - _seen(target_rows, self.seen_targets)[None, :, None].expand(*scaled.shape[:2], 1)
        new_target = (1.0 - new_practice) * new_target
        return torch.cat([scaled, 1.0 - new_practice - new_target, new_practice, new_target], dim=2)

    def tk_to_genomic(self, standardised: Tensor) -> Tensor:
        """Logits [A, C] from features [A, C, F + V]."""
        return _of_view(self.forward_layer, standardised)

    def genomic_to_tk(self, standardised: Tensor) -> Tensor:
        """Logits [C, A] from features [A, C, F + V]."""
        return _of_view(self.backward_layer, standardised).T

    @torch.no_grad()
    def catalogue_features(self, features: TextFeatures) -> Tensor:
        """Standardised features of every pair of the catalogue, [P, G, F + V]."""
        catalogue = catalogue_of(features, self.links)
        rows = torch.arange(self.links.shape[1])
        return torch.cat(
            [
                self.standardised(part, index, catalogue.targets, rows, catalogue)
                for part, index in _chunks(catalogue.practices)
            ]
        )

    def add_links(self, truth: TruthMatrix) -> None:
        """Take evidence from the pairs of ``truth`` as well, and its seen records as seen; the weights stay."""
        self.links.copy_(torch.maximum(self.links, torch.from_numpy(truth.pairs).to(self.links.dtype)))
        self._take_seen(truth)

    @torch.no_grad()
    def start(self, features: TextFeatures, truth: TruthMatrix) -> None:
        """Take the links of ``truth``, the scale of the features over its catalogue, and the regressions' weights."""
        self.links.copy_(torch.from_numpy(truth.pairs))
        self._take_seen(truth)
        self._take_scale(features)
        pairs = self.catalogue_features(features)
        seen = truth.seen_cells
        for view in VIEWS:
            known = in_view(pairs, view)[..., : len(PAIR_FEATURES)].numpy()
            plain = _regression(known[seen], truth.pairs[seen], view=view)
            for layer, query in ((self.forward_layer, "practice"), (self.backward_layer, "target")):
                asks = view == f"new {query}"
                effects = _query_effects(seen, query) if asks else None
                fitted = _regression(known[seen], truth.pairs[seen], view=view, effects=effects) if asks else plain
                layer.weight[VIEWS.index(view)] = torch.from_numpy(fitted[0])
                layer.bias[VIEWS.index(view)] = fitted[1]

    def _take_seen(self, truth: TruthMatrix) -> None:
        self.seen_practices.copy_(torch.from_numpy(truth.seen_practices))
        self.seen_targets.copy_(torch.from_numpy(truth.seen_targets))

    def _take_scale(self, features: TextFeatures) -> None:
        catalogue = catalogue_of(features, self.links)
        rows = torch.arange(self.links.shape[1])
        parts = [
            _features(part, index, catalogue.targets, rows, catalogue) for part, index in _chunks(catalogue.practices)
        ]
        seen = torch.outer(self.seen_practices, self.seen_targets) > 0
        values = torch.cat([part[0] for part in parts])[seen].double()
        present = torch.cat([part[1] for part in parts])[seen].double()
        number = present.sum(dim=0).clamp(min=1.0)
        mean = (values * present).sum(dim=0) / number
        deviation = (((values - mean) ** 2 * present).sum(dim=0) / number).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))


def catalogue_of(features: TextFeatures, links: Tensor) -> Catalogue:
    """The catalogue that ``features`` describe, with its known links [P, G]."""
    return Catalogue(practice_records(features.practices), target_records(features.targets), links)


def _features(
    practices: Records, practice_rows: Tensor, targets: Records, target_rows: Tensor, catalogue: Catalogue
) -> tuple[Tensor, Tensor]:
    texts, there = late_interaction(practices, targets)
    links, known = link_evidence(practices, practice_rows, targets, target_rows, catalogue)
    return torch.cat([texts, links], dim=2), torch.cat([there, known], dim=2)


def _chunks(records: Records) -> list[tuple[Records, Tensor]]:
    """The records in parts of at most 32 with their rows: features of a pair need memory for its whole catalogue."""
    count = len(records.mask)
    parts = [torch.arange(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    return [(Records(**{name: value[rows] for name, value in vars(records).items()}), rows) for rows in parts]


def _seen(rows: Tensor, seen: Tensor) -> Tensor:
    """1 for each row of the catalogue that is seen, else 0; ``OUTSIDE`` is not."""
    places = torch.arange(seen.shape[0])
    return (rows[:, None] == places[None, :]).to(seen.dtype) @ seen


def _of_view(layer: nn.Linear, standardised: Tensor) -> Tensor:
    """The output of the layer for the view that each pair has."""
    features, view = standardised[..., : len(PAIR_FEATURES)], standardised[..., len(PAIR_FEATURES) :]
    logits: Tensor = (layer(features) * view).sum(dim=2)
    return logits


def in_view(standardised: Tensor, view: str) -> Tensor:
    """Features [A, C, F + V] of pairs as if all of them were of the view."""
    side = view.removeprefix("new ")
    lacking = torch.cat([torch.zeros(len(TEXT_FEATURES), dtype=torch.bool), without_links_of(side)])
    features = standardised[..., : len(PAIR_FEATURES)]
    features = features if view == VIEWS[0] else features.masked_fill(lacking, 0.0)
    place = torch.tensor([float(name == view) for name in VIEWS])
    return torch.cat([features, place.expand(*features.shape[:2], -1)], dim=2)


def some_as_new(pairs: Tensor, as_new: tuple[Tensor, Tensor], share: float) -> Tensor:
    """Features [P, G, F + V] of the catalogue with a random share of its practices and of its targets treated as new.

    ``as_new`` are the features in the views of a new practice and of a new target.
    """
    if share == 0:
        return pairs
    practices, targets = (torch.rand(size) < share for size in pairs.shape[:2])
    return torch.where(practices[:, None, None], as_new[0], torch.where(targets[:, None], as_new[1], pairs))


def _query_effects(cells: NDArray[np.bool_], query: str) -> NDArray[np.float64]:
    """One column a record of the side that asks, ``QUERY_EFFECT`` in the rows of its cells."""
    index = np.nonzero(cells)[0 if query == "practice" else 1]
    return QUERY_EFFECT * np.eye(cells.shape[0 if query == "practice" else 1])[index]


def _regression(
    inputs: NDArray[np.float32], labels: NDArray[np.bool_], *, view: str, effects: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float32], float]:
    """Weights [F] and bias of a ridge logistic regression; zeros and the log odds where nothing can be fitted.

    A list is ranked for one query. Where every pair of a list is of one view because its query is new, ``effects`` of the
    queries are fitted beside the weights and left out but for their mean: what tells lists apart must not stand for
    what tells the candidates of a list apart. Features that are not finite are left to the loss of the first epoch,
    which ends the run with its reason.
    """
    if labels.all() or not labels.any() or not np.isfinite(inputs).all():
        odds = (labels.sum() + 1.0) / ((~labels).sum() + 1.0)
        return np.zeros(inputs.shape[1], dtype=np.float32), float(np.log(odds))
    strength = INVERSE_REGULARISATION if view == VIEWS[0] else INVERSE_REGULARISATION_OF_NEW
    columns = inputs.astype(np.float64) if effects is None else np.concatenate([inputs, effects], axis=1)
    fitted = LogisticRegression(C=strength, max_iter=2000).fit(columns, labels)
    weights, size = fitted.coef_[0], inputs.shape[1]
    bias = float(fitted.intercept_[0])
    if effects is not None:
        bias += float((effects @ weights[size:]).mean())
    return weights[:size].astype(np.float32), bias
