"""One linear layer a direction over what is known of a pair: late interaction of the texts, and link evidence.

It starts from a ridge logistic regression on the training side (convex, so the same on every run), and is trained on
with the towers. A practices, C targets, F features.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from genomepath.ml.dataset import TextFeatures, TruthMatrix
from genomepath.ml.late_interaction import TEXT_FEATURES, Records, late_interaction, practice_records, target_records
from genomepath.ml.link_evidence import LINK_FEATURES, Catalogue, link_evidence

PAIR_FEATURES: tuple[str, ...] = (*TEXT_FEATURES, *LINK_FEATURES)
INVERSE_REGULARISATION = 0.01
"""Of the starting regression; chosen on inner folds among 1, 0.01 and 0.001 (docs/model_choices.md)."""

_CHUNK = 32


class PairScorer(nn.Module):
    """Logits of pairs; ``links`` [P, G] are the known links that evidence is taken from, stored with the weights."""

    links: Tensor
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
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.forward_layer = nn.Linear(size, 1)
        self.backward_layer = nn.Linear(size, 1)

    def standardised(
        self, practices: Records, practice_rows: Tensor, targets: Records, target_rows: Tensor, catalogue: Catalogue
    ) -> Tensor:
        """Features [A, C, F] in units of their deviation over the catalogue; one that a pair lacks is at the mean, 0."""
        features, present = _features(practices, practice_rows, targets, target_rows, catalogue)
        return torch.where(present, self.kept * (features - self.mean) / self.deviation, torch.zeros_like(features))

    def tk_to_genomic(self, standardised: Tensor) -> Tensor:
        """Logits [A, C] from features [A, C, F]."""
        logits: Tensor = self.forward_layer(standardised)
        return logits.squeeze(-1)

    def genomic_to_tk(self, standardised: Tensor) -> Tensor:
        """Logits [C, A] from features [A, C, F]."""
        logits: Tensor = self.backward_layer(standardised)
        return logits.squeeze(-1).T

    @torch.no_grad()
    def catalogue_features(self, features: TextFeatures) -> Tensor:
        """Standardised features of every pair of the catalogue, [P, G, F]."""
        catalogue = catalogue_of(features, self.links)
        rows = torch.arange(self.links.shape[1])
        return torch.cat(
            [
                self.standardised(part, index, catalogue.targets, rows, catalogue)
                for part, index in _chunks(catalogue.practices)
            ]
        )

    def add_links(self, truth: TruthMatrix) -> None:
        """Take evidence from the pairs of ``truth`` as well; the weights stay."""
        self.links.copy_(torch.maximum(self.links, torch.from_numpy(truth.pairs).to(self.links.dtype)))

    @torch.no_grad()
    def start(self, features: TextFeatures, truth: TruthMatrix) -> None:
        """Take the links of ``truth``, the scale of the features over its catalogue, and the regression's weights."""
        self.links.copy_(torch.from_numpy(truth.pairs))
        catalogue = catalogue_of(features, self.links)
        rows = torch.arange(self.links.shape[1])
        parts = [
            _features(part, index, catalogue.targets, rows, catalogue) for part, index in _chunks(catalogue.practices)
        ]
        values = torch.cat([part[0] for part in parts]).flatten(0, 1).double()
        present = torch.cat([part[1] for part in parts]).flatten(0, 1).double()
        number = present.sum(dim=0).clamp(min=1.0)
        mean = (values * present).sum(dim=0) / number
        deviation = (((values - mean) ** 2 * present).sum(dim=0) / number).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))
        weights, bias = _regression(self.catalogue_features(features).flatten(0, 1).numpy(), truth.pairs.ravel())
        for layer in (self.forward_layer, self.backward_layer):
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.fill_(bias)


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


def _regression(inputs: NDArray[np.float32], labels: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Weights [1, F] and bias of a ridge logistic regression; zeros and the log odds where nothing can be fitted.

    Features that are not finite are left to the loss of the first epoch, which ends the run with its reason.
    """
    if labels.all() or not labels.any() or not np.isfinite(inputs).all():
        odds = (labels.sum() + 1.0) / ((~labels).sum() + 1.0)
        return np.zeros((1, inputs.shape[1]), dtype=np.float32), float(np.log(odds))
    fitted = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=2000).fit(inputs.astype(np.float64), labels)
    return fitted.coef_.astype(np.float32), float(fitted.intercept_[0])
