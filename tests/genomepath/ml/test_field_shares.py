"""What a field adds to a score: exact for the texts, by leaving it out for the towers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from genomepath.ml import checkpoint
from genomepath.ml.augmentation import TokenBatch, practice_dose_batch
from genomepath.ml.checkpoint import write_json
from genomepath.ml.config import preset_config
from genomepath.ml.dataset import TruthMatrix
from genomepath.ml.field_shares import field_shares
from genomepath.ml.fields import practice_tokens
from genomepath.ml.inference import as_tensors, encode_catalogue
from genomepath.ml.late_interaction import TEXT_FEATURES, late_interaction
from genomepath.ml.pair_scorer import catalogue_of
from genomepath.ml.published_field_shares import (
    ARRAYS,
    NAMES,
    FieldSharesError,
    read_field_shares,
    write_field_shares,
)
from genomepath.ml.snapshot import DOSES, snapshot_build
from genomepath.ml.training import fit
from tests.genomepath.ml.synthetic import synthetic_features, synthetic_snapshot


def uneven_snapshot():
    """Records of different length, one of them with its title alone."""
    plain = synthetic_snapshot()
    longer = replace(plain.practices[1], indications=("invented condition 1", "invented condition 2", "invented ache"))
    bare = replace(plain.practices[2], indications=(), preparation="", cultural_context="")
    single = replace(plain.targets[4], pathways=(), tissues=(), diseases=())
    return snapshot_build(
        practices=[plain.practices[0], longer, bare, *plain.practices[3:]],
        targets=[*plain.targets[:4], single, *plain.targets[5:]],
        correlations=list(plain.correlations),
        synergies=list(plain.synergies),
    )


SNAPSHOT = uneven_snapshot()
FEATURES = synthetic_features(SNAPSHOT)
TRUTH = TruthMatrix.from_snapshot(SNAPSHOT)


@pytest.fixture(scope="module")
def fitted():
    """Trained so far that the towers count."""
    return fit(FEATURES, TRUTH, None, preset_config("small", epochs=12), seed=0)


@pytest.fixture(scope="module")
def shares(fitted):
    return field_shares(fitted.model, FEATURES)


@pytest.fixture
def published(fitted, shares, tmp_path):
    write_json(tmp_path / checkpoint.CATALOGUE, {"practices": list(fitted.practices), "targets": list(fitted.targets)})
    write_field_shares(tmp_path, shares, SNAPSHOT.practices, SNAPSHOT.targets)
    return tmp_path


def test_fields_whole_texts_links_towers_and_base_add_up_to_the_logit_in_both_directions(fitted, shares):
    scores = fitted.score(FEATURES)

    forward = (shares.practice_texts.sum(axis=1) + shares.practice_rest.sum(axis=2))[
        :, None
    ] + shares.practice_tower_logits
    backward = shares.target_texts.sum(axis=1) + shares.target_rest.sum(axis=2) + shares.target_tower_logits

    np.testing.assert_allclose(forward, scores.tk_to_genomic, atol=1e-4)
    np.testing.assert_allclose(backward, scores.genomic_to_tk, atol=1e-4)


def test_the_best_cosine_of_two_fields_counts_for_the_fields_that_reach_it(fitted):
    """By brute force, of a scorer that reads one feature alone."""
    feature = TEXT_FEATURES.index("indication x disease")
    model = fit(FEATURES, TRUTH, None, preset_config("small"), seed=0, epochs=0).model
    with torch.no_grad():
        model.pairs.forward_layer.weight.zero_()
        model.pairs.forward_layer.weight[:, feature] = 2.0
    found = field_shares(model, FEATURES).practice_texts

    catalogue = catalogue_of(FEATURES, model.pairs.links)
    raw, there = late_interaction(catalogue.practices, catalogue.targets)
    value = 2.0 * (raw[..., feature] - model.pairs.mean[feature]) / model.pairs.deviation[feature] * there[..., feature]
    cosines = np.einsum("ate,cue->atcu", catalogue.practices.tokens, catalogue.targets.tokens)
    diseases = (catalogue.targets.kinds == 3) & catalogue.targets.mask
    for practice, target in np.ndindex(*raw.shape[:2]):
        expected = np.zeros(found.shape[1])
        fields = np.flatnonzero((catalogue.practices.kinds[practice] == 3) & catalogue.practices.mask[practice])
        if len(fields) and diseases[target].any():
            best = cosines[practice, fields, target][:, diseases[target]].max(axis=1)
            expected[fields[best.argmax()]] = value[practice, target]
        np.testing.assert_allclose(found[practice, :, target], expected, atol=1e-5)


def test_a_mean_over_fields_is_shared_out_by_field_and_padding_gets_nothing(fitted):
    feature = TEXT_FEATURES.index("mean best field")
    model = fit(FEATURES, TRUTH, None, preset_config("small"), seed=0, epochs=0).model
    with torch.no_grad():
        model.pairs.forward_layer.weight.zero_()
        model.pairs.forward_layer.weight[:, feature] = 1.0
    shares = field_shares(model, FEATURES)

    catalogue = catalogue_of(FEATURES, model.pairs.links)
    cosines = np.einsum("ate,cue->atcu", catalogue.practices.tokens, catalogue.targets.tokens)
    mask, others = catalogue.practices.mask.numpy(), catalogue.targets.mask.numpy()
    best = np.where(others[None, None], cosines, -2.0).max(axis=3)
    mean, deviation = float(model.pairs.mean[feature]), float(model.pairs.deviation[feature])
    expected = mask[:, :, None] * (best - mean) / deviation / mask.sum(axis=1)[:, None, None]
    np.testing.assert_allclose(shares.practice_texts, expected, atol=1e-4)


def test_the_towers_share_of_a_field_is_what_they_lose_without_it(fitted, shares):
    """Against a catalogue in which the field of one practice does not exist, with the banks as they were."""
    practice, field = 1, 4
    with torch.no_grad():
        encoding = encode_catalogue(fitted.model, FEATURES)
        batch = practice_dose_batch(FEATURES, np.array([practice * 3 + 2]))
        kept = np.delete(np.arange(batch.mask.shape[1]), field)
        less = TokenBatch(batch.tokens[:, kept], batch.slots[:, kept], batch.mask[:, kept])
        logits = []
        for one in (batch, less):
            encoded = fitted.model.practice_encoder(*as_tensors(one))
            head = fitted.model.tk_to_genomic(encoded, encoding.target_bank)
            logits.append(head + fitted.model.practice_cosines(encoded.pooled, encoding.target_bank))
    found = shares.practice_towers[practice, 2, field]

    np.testing.assert_allclose(found, (logits[0] - logits[1])[0].numpy(), atol=1e-5)
    assert np.abs(found).max() > 1e-3


def test_a_record_of_one_field_loses_all_that_the_towers_say_with_it(shares):
    assert FEATURES.target_mask[4].sum() == 1
    np.testing.assert_allclose(shares.target_towers[4, 0], shares.target_tower_logits[4], atol=1e-6)
    assert not shares.target_towers[4, 1:].any()


def test_a_published_score_names_its_fields_and_adds_up(fitted, published):
    scores = fitted.score(FEATURES)
    found = read_field_shares(published)
    assert found is not None
    slug, symbol = SNAPSHOT.practices[1].slug, SNAPSHOT.targets[3].symbol

    forward, backward = found.of_practice(slug, "high", symbol), found.of_target(symbol, slug)

    assert forward.logit == pytest.approx(scores.tk_to_genomic[1, DOSES.index("high"), 3], abs=1e-4)
    assert backward.logit == pytest.approx(scores.genomic_to_tk[3, 1], abs=1e-4)
    assert [(part.kind, part.text) for part in forward.fields] == [
        ("dose", ""),
        ("title", ""),
        ("preparation", ""),
        ("cultural_context", ""),
        ("indication", "invented condition 1"),
        ("indication", "invented condition 2"),
        ("indication", "invented ache"),
    ]
    assert [part.kind for part in backward.fields] == ["identity", "pathway", "tissue", "disease_association"]


def test_the_files_repeat_no_title_preparation_or_context(published):
    written = (published / NAMES).read_text(encoding="utf-8")

    for record in SNAPSHOT.practices:
        assert record.title not in written
        assert not record.preparation or record.preparation not in written
    assert "Invented for a test" not in written


def test_what_the_model_does_not_know_is_no_key(published):
    found = read_field_shares(published)
    assert found is not None

    with pytest.raises(KeyError):
        found.of_practice("absent", "low", SNAPSHOT.targets[0].symbol)


def test_a_model_of_before_has_none(tmp_path):
    assert read_field_shares(tmp_path) is None


@pytest.mark.parametrize("damage", ["arrays", "names", "fewer"])
def test_damaged_files_are_refused(published, damage):
    if damage == "arrays":
        (published / ARRAYS).write_bytes(b"nothing")
    elif damage == "names":
        (published / NAMES).write_text("{", encoding="utf-8")
    else:
        names = json.loads((published / NAMES).read_text(encoding="utf-8"))
        write_json(published / NAMES, {**names, "practices": names["practices"][1:]})

    with pytest.raises(FieldSharesError):
        read_field_shares(published)


def test_every_token_of_the_longest_practice_has_a_name():
    assert len(practice_tokens(SNAPSHOT.practices[1])) == FEATURES.practice_mask[1].sum() == 6
