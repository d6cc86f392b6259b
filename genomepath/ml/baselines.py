"""Baselines of the protocol, each a Scorer. None is tuned on held-out pairs; the parameters are fixed here.

Like the model they learn from records that a fold shows: one that it holds out whole (P2, P3) is no row to learn from and no
neighbour, instead of one that is known to have no links.

``chance`` needs no scorer: its row is analytic (``metrics.chance_hits_at``, ``metrics.chance_reciprocal_ranks``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from genomepath.ml.scores import BoolArray, FloatArray, Scorer, Scores
from genomepath.ml.snapshot import Snapshot

if TYPE_CHECKING:
    from genomepath.ml.dataset import TextFeatures, TruthMatrix

ABOVE_ANY_COSINE = 3.0
NEIGHBOURS = 5
INVERSE_REGULARISATION = 10.0
FACTORS = 8
POSITIVE_CONFIDENCE = 10.0
FACTOR_REGULARISATION = 1.0
ALTERNATIONS = 15


def popularity(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """A target by how many practices it has at the dose, a practice by how many targets: no look at the query."""
    at_dose = (training.confidence > 0).sum(axis=0).astype(np.float64)
    practices, targets = training.pairs.shape
    per_practice = training.pairs.sum(axis=1).astype(np.float64)
    return Scores(np.broadcast_to(at_dose, (practices, *at_dose.shape)), np.tile(per_practice, (targets, 1)))


def memoriser(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """Looks the pair up: 1 for a training pair, else 0. What it scores on P0 is what a row split gives away."""
    return Scores((training.confidence > 0).astype(np.float64), training.pairs.T.astype(np.float64))


def zero_shot(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """Cosine of the whole-text MiniLM embeddings; nothing is trained."""
    return Scores.from_pairs(_cosine(features.practice_text, features.target_text))


def zero_shot_new_first(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """The same, all candidates of which nothing is known before the others.

    On P2 and P3 a held-out link belongs to such a candidate, and a seen competitor never has one: this is what that
    alone is worth.
    """
    new = np.logical_or.outer(~training.seen_practices, ~training.seen_targets)
    return Scores.from_pairs(_cosine(features.practice_text, features.target_text) + ABOVE_ANY_COSINE * new)


def nearest_neighbours(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """Mean training label of the 5 most similar other practices (genomic->TK: of the 5 most similar other targets)."""
    known = training.pairs.astype(np.float64)
    return Scores.from_pairs(
        _neighbour_mean(features.practice_text, known, training.seen_practices),
        _neighbour_mean(features.target_text, known.T, training.seen_targets),
    )


def logistic_regression(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """One-vs-rest: a classifier a target over practice texts, and a classifier a practice over target texts."""
    known = training.pairs
    scores = Scores.from_pairs(
        _one_vs_rest(features.practice_text, known, training.seen_practices),
        _one_vs_rest(features.target_text, known.T, training.seen_targets),
    )
    return replace(scores, log_odds=True)


def matrix_factorisation(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """Weighted alternating least squares for implicit feedback (Hu, Koren and Volinsky 2008); sees no text."""
    known, seen = training.pairs.astype(np.float64), training.seen_cells
    rng = np.random.default_rng(0)
    targets = rng.normal(scale=0.1, size=(known.shape[1], FACTORS))
    practices = np.zeros((known.shape[0], FACTORS))
    for _ in range(ALTERNATIONS):
        practices = _solve_factors(targets, known, seen)
        targets = _solve_factors(practices, known.T, seen.T)
    return Scores.from_pairs(practices @ targets.T)


def pair_feature_stacker(snapshot: Snapshot, features: TextFeatures, training: TruthMatrix, /) -> Scores:
    """Logistic regression over ``pair_features``, one for both directions."""
    known, seen = training.pairs, training.seen_cells
    inputs = pair_features(features, training)
    deviation = inputs[seen].std(axis=0)
    rows = (inputs - inputs[seen].mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    if known[seen].all() or not known.any():
        return Scores.from_pairs(np.zeros(known.shape))
    classifier = LogisticRegression(max_iter=1000).fit(rows[seen], known[seen])
    decisions = classifier.decision_function(rows.reshape(-1, rows.shape[-1])).reshape(known.shape)
    return replace(Scores.from_pairs(decisions), log_odds=True)


def pair_features(features: TextFeatures, training: TruthMatrix) -> NDArray[np.float64]:
    """Whole-text cosine, best field cosine, two popularities and two neighbour means of each pair, [P, G, 6].

    Every feature of a cell leaves the label of that cell out, else a regression would learn to read its own answer.
    """
    labels = training.pairs.astype(np.float64)
    return np.stack(
        [
            _cosine(features.practice_text, features.target_text),
            _best_token_cosine(features),
            labels.sum(axis=0, keepdims=True) - labels,
            labels.sum(axis=1, keepdims=True) - labels,
            _neighbour_mean(features.practice_text, labels, training.seen_practices),
            _neighbour_mean(features.target_text, labels.T, training.seen_targets).T,
        ],
        axis=-1,
    )


BASELINES: Mapping[str, Scorer] = MappingProxyType(
    {
        "popularity": popularity,
        "memoriser": memoriser,
        "zero-shot cosine": zero_shot,
        "zero-shot cosine, new first": zero_shot_new_first,
        "kNN": nearest_neighbours,
        "logistic regression": logistic_regression,
        "matrix factorisation": matrix_factorisation,
        "pair-feature stacker": pair_feature_stacker,
    }
)


def _cosine(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    return _unit(first) @ _unit(second).T


def _unit(vectors: FloatArray) -> NDArray[np.float64]:
    array = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    return array / np.where(norms > 0, norms, 1.0)


def _best_token_cosine(features: TextFeatures) -> NDArray[np.float64]:
    """Highest cosine [P, G] between a field of the practice and a field of the target; 0 where one has no field."""
    practices, targets = len(features.practice_tokens), len(features.target_tokens)
    size = features.practice_tokens.shape[-1]
    cosine = _cosine(features.practice_tokens.reshape(-1, size), features.target_tokens.reshape(-1, size))
    cosine = cosine.reshape(practices, -1, targets, features.target_tokens.shape[1])
    present = features.practice_mask[:, :, None, None] & features.target_mask[None, None]
    best = np.where(present, cosine, -np.inf).max(axis=(1, 3))
    return np.where(np.isfinite(best), best, 0.0)


def _neighbour_mean(texts: FloatArray, labels: NDArray[np.float64], seen: BoolArray) -> NDArray[np.float64]:
    """Similarity-weighted mean label [A, B] of the nearest other records that are seen, 0 where there is none.

    ``texts`` [A, E], ``labels`` [A, B], ``seen`` [A].
    """
    similarity = np.where(seen, _cosine(texts, texts), -np.inf)
    np.fill_diagonal(similarity, -np.inf)
    count = max(1, min(NEIGHBOURS, int(seen.sum()) - 1))
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    similarities = np.take_along_axis(similarity, nearest, axis=1)
    weights = np.where(np.isfinite(similarities), np.clip(similarities, 1e-6, None), 0.0)
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("an,anb->ab", weights, labels[nearest]) / np.where(total > 0, total, 1.0))


def _one_vs_rest(texts: FloatArray, labels: NDArray[np.bool_], seen: BoolArray) -> NDArray[np.float64]:
    """Decision values [A, B] of one classifier a column, fitted on the rows that are seen; a column of one class gets its
    smoothed log odds."""
    inputs = _unit(texts)
    result = np.empty(labels.shape)
    for column in range(labels.shape[1]):
        own = labels[seen, column]
        positives = int(own.sum())
        if 0 < positives < len(own):
            classifier = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000).fit(inputs[seen], own)
            result[:, column] = classifier.decision_function(inputs)
        else:
            result[:, column] = np.log((positives + 0.5) / (len(own) - positives + 0.5))
    return result


def _solve_factors(fixed: NDArray[np.float64], labels: NDArray[np.float64], seen: BoolArray) -> NDArray[np.float64]:
    """Ridge solution [A, F] for each row of ``labels`` [A, B], known cells weighing more and those that are not ``seen``
    nothing; ``fixed`` [B, F]."""
    ridge = FACTOR_REGULARISATION * np.eye(fixed.shape[1])
    weights = seen * (1.0 + POSITIVE_CONFIDENCE * labels)
    grams = np.einsum("ab,bf,bg->afg", weights, fixed, fixed) + ridge
    right = (weights * labels) @ fixed
    return np.asarray(np.linalg.solve(grams, right[:, :, None])[:, :, 0])
