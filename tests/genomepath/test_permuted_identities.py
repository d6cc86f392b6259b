"""The real model on the bundled data, whose practices and genes have the identities of others: it knows nothing then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from django.core.management import call_command
from django.db import transaction

from genomepath.ml import metrics
from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TextFeatures, TruthMatrix, build_text_features
from genomepath.ml.embedding import MiniLMEncoder
from genomepath.ml.identity_permutation import Among, PermutedRanks, chance_interval, permuted_ranks
from genomepath.ml.scores import Scores
from genomepath.ml.snapshot import DIRECTIONS, Snapshot
from genomepath.ml.training_run import model_scorer
from genomepath.snapshots import snapshot_take

pytestmark = pytest.mark.slow

PROTOCOLS = ("P1", "P2", "P3")
CUTOFFS = dict(zip(DIRECTIONS, (5, 3), strict=True))
DEVIATIONS = 2.87
"""95% that none of twelve numbers by chance lies outside: three protocols, two directions, accuracy and MRR."""


@pytest.fixture(scope="module")
def snapshot(django_db_setup, django_db_blocker) -> Snapshot:
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_bundled", "--json")
        taken = snapshot_take(include_drafts=False).snapshot
        transaction.set_rollback(True)
    return taken


@pytest.fixture(scope="module")
def features(snapshot) -> TextFeatures:
    return build_text_features(snapshot, MiniLMEncoder())


@dataclass(frozen=True)
class GivenAnswers:
    """The model as it starts, with a feature that holds two thirds of the links of the data."""

    truth: TruthMatrix
    uses_validation: bool = True

    def __call__(self, snapshot, features, training, /, *, validation, seed, epochs=None):
        config = preset_config("small", epochs=1, learning_rate=1e-12)
        scores = model_scorer(config)(snapshot, features, training, validation=validation, seed=seed)
        given = self.truth.pairs & (np.random.default_rng(seed).random(self.truth.pairs.shape) < 2 / 3)
        return Scores(scores.tk_to_genomic + 5.0 * given[:, None, :], scores.genomic_to_tk + 5.0 * given.T)


def outside(ranks: dict[str, PermutedRanks]) -> dict[str, tuple[float, float]]:
    """By metric, value and chance where the value lies outside the interval."""
    found = {}
    for way, own in ranks.items():
        k = CUTOFFS[way]
        values = {None: metrics.reciprocal_ranks(own.ranks), k: metrics.hits_at(own.ranks, k)}
        for cutoff, value in values.items():
            chance = chance_interval(own, cutoff)
            if not chance.holds(float(value.mean()), DEVIATIONS):
                found[f"{way} {cutoff or 'MRR'}"] = (float(value.mean()), chance.mean)
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_model_ranks_by_chance_in_both_directions(snapshot, features, protocol):
    scorer = model_scorer(preset_config("small"))
    assert outside(permuted_ranks(snapshot, features, scorer, protocol, seed=0)[Among.UNSEEN]) == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_model_that_was_given_answers_is_found_out_in_both_directions(snapshot, features, protocol):
    scorer = GivenAnswers(TruthMatrix.from_snapshot(snapshot))
    found = outside(permuted_ranks(snapshot, features, scorer, protocol, seed=0)[Among.UNSEEN])
    assert {name.split()[0] for name in found} == set(DIRECTIONS)
