"""The report says what a label is: derived here by a rule, or taken over as it came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomepath.reporting.data_card import data_card
from genomepath.reporting.model_card import model_card
from tests.genomepath.report_reader import sentences

DERIVED = "derived by"
IMPORTED = "as they were imported or entered, not derived here"
CHAIN = "curated chain of documents"
LEVEL = "comes from level, number and distance of its evidence"


def of_data(blocks) -> str:
    """What data card or model card say of labels and data, without the notes of the evaluation."""
    return " ".join(sentences(blocks))


def card_of_data(material) -> str:
    return next(text for text in sentences(model_card(material).blocks) if "correlation rows" in text)


def test_labels_that_a_rule_derived_are_chains_of_documents_with_a_derived_confidence(material):
    text = of_data(data_card(material))

    assert CHAIN in text
    assert LEVEL in text
    assert "derived by one rule" in text
    assert DERIVED in card_of_data(material)


def test_imported_labels_are_said_to_be_as_they_came(imported):
    text = of_data(data_card(imported))

    assert f"Labels and their confidences are {IMPORTED}" in text
    assert f"Labels and their confidences are {IMPORTED}" in card_of_data(imported)


def test_of_imported_labels_no_derivation_is_claimed(imported):
    text = of_data(data_card(imported)) + card_of_data(imported)

    assert CHAIN not in text
    assert LEVEL not in text
    assert "curated" not in card_of_data(imported)
    assert "oracle" not in text


@pytest.mark.parametrize(
    ("included", "sentence"),
    [
        (True, "Unvalidated links, drafts and those under review, were included beside the approved ones."),
        (False, "Unvalidated links, drafts and those under review, were left out: every link is an approved one."),
    ],
)
def test_both_say_whether_unvalidated_drafts_were_included(material, included, sentence):
    told = replace(material, model=replace(material.model, include_drafts=included))

    assert sentence in sentences(data_card(told))
    assert sentence in card_of_data(told)
