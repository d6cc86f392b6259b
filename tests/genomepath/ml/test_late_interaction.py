"""Late interaction: features of a pair from texts alone, equal to what a reader would compute by hand."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from genomepath.ml.late_interaction import TEXT_FEATURES, Records, late_interaction, practice_records, target_records
from genomepath.ml.records import practice_features, target_features
from genomepath.ml.snapshot import DiseaseRecord, PracticeRecord, TargetRecord
from tests.genomepath.ml.synthetic import HashEncoder, synthetic_features, synthetic_snapshot

SNAPSHOT = synthetic_snapshot(practices=5, targets=4)
FEATURES = synthetic_features(SNAPSHOT)
PRACTICES, TARGETS = practice_records(FEATURES.practices), target_records(FEATURES.targets)
ENCODER = HashEncoder()


def cosine(first: str, second: str) -> float:
    a, b = ENCODER.encode([first, second])
    return float(a @ b)


def by_hand(practice: PracticeRecord, target: TargetRecord) -> dict[str, float]:
    left = {
        "name": [practice.title],
        "preparation": [practice.preparation],
        "context": [practice.cultural_context],
        "indication": list(practice.indications),
    }
    right = {
        "identity": [f"{target.symbol}: {target.name}"],
        "pathway": list(target.pathways),
        "tissue": list(target.tissues),
        "disease": [disease.name for disease in target.diseases],
    }
    found = {f"{a} x {b}": max(cosine(x, y) for x in left[a] for y in right[b]) for a in left for b in right}
    every = [text for texts in right.values() for text in texts]
    best = [max(cosine(text, other) for other in every) for texts in left.values() for text in texts]
    return {**found, "best field": max(best), "mean best field": float(np.mean(best))}


def test_field_cosines_are_those_of_a_loop_over_fields():
    values, present = late_interaction(PRACTICES, TARGETS)
    for p, practice in enumerate(SNAPSHOT.practices):
        for g, target in enumerate(SNAPSHOT.targets):
            for name, expected in by_hand(practice, target).items():
                index = TEXT_FEATURES.index(name)
                assert present[p, g, index]
                assert values[p, g, index].item() == pytest.approx(expected, abs=1e-5), name


def test_shared_words_are_counted_and_weighed_by_how_many_there_are():
    practice = PracticeRecord("", "Resin for chronic migraine", "", ("migraine disorder",), "", "")
    target = TargetRecord("X", "migraine protein", (), (), (DiseaseRecord("migraine"), DiseaseRecord("chronic pain")))
    values, _ = late_interaction(
        practice_records(practice_features(practice, ENCODER)), target_records(target_features(target, ENCODER))
    )
    assert values[0, 0, TEXT_FEATURES.index("shared words")].item() == 2  # migraine, chronic
    shared = values[0, 0, TEXT_FEATURES.index("shared condition words")].item()
    assert shared == pytest.approx(1 / np.sqrt(2 * 3))  # migraine disorder; migraine, chronic, pain


def test_a_field_that_a_record_lacks_is_said_to_be_missing_and_counts_nothing():
    practice = practice_records(practice_features(PracticeRecord("", "only a title", "", (), "", ""), ENCODER))
    values, present = late_interaction(practice, TARGETS)
    missing = [index for index, name in enumerate(TEXT_FEATURES) if name.startswith(("prep", "context", "indication"))]
    assert not present[:, :, missing].any()
    assert not values[:, :, missing].any()
    assert present[:, :, TEXT_FEATURES.index("name x disease")].all()


def test_the_order_of_the_fields_and_padding_change_nothing():
    order = torch.tensor([2, 0, 3, 1])
    moved = replace(PRACTICES, **{name: getattr(PRACTICES, name)[:, order] for name in ("tokens", "kinds", "mask")})
    padded = replace(
        moved,
        tokens=torch.nn.functional.pad(moved.tokens, (0, 0, 0, 3)),
        kinds=torch.nn.functional.pad(moved.kinds, (0, 3)),
        mask=torch.nn.functional.pad(moved.mask, (0, 3)),
    )
    for other in (moved, padded):
        torch.testing.assert_close(late_interaction(other, TARGETS)[0], late_interaction(PRACTICES, TARGETS)[0])


def test_the_features_of_a_pair_depend_on_no_other_record():
    whole, _ = late_interaction(PRACTICES, TARGETS)
    alone, _ = late_interaction(only(PRACTICES, 3), only(TARGETS, 1))
    torch.testing.assert_close(alone[0, 0], whole[3, 1])


def only(records: Records, row: int) -> Records:
    return Records(**{field.name: getattr(records, field.name)[row : row + 1] for field in fields(Records)})
