from __future__ import annotations

from dataclasses import replace

from genomepath.ml import fields
from genomepath.ml.snapshot import DiseaseRecord, PracticeRecord, TargetRecord

PRACTICE = PracticeRecord(
    slug="invented-practice",
    title="Invented leaf for testache",
    tradition="Invented tradition",
    indications=("testache (MeSH:D000000)", "chronic mock_fever"),
    preparation="boiled twice",
    cultural_context="kept by invented weavers",
)
TARGET = TargetRecord(
    symbol="FAKE1",
    name="fake receptor 1",
    pathways=("invented pathway (Reactome R-HSA-0)",),
    tissues=("invented tissue",),
    diseases=(DiseaseRecord("testache"),),
)


def test_each_field_and_each_indication_is_one_token_without_its_identifier():
    tokens = fields.practice_tokens(PRACTICE)
    assert [token.text for token in tokens] == [
        "Invented leaf for testache",
        "boiled twice",
        "kept by invented weavers",
        "testache",
        "chronic mock fever",
    ]
    assert [token.slot for token in tokens] == [0, 1, 2, 4, 5]


def test_the_tradition_is_not_read():
    texts = [token.text for token in fields.practice_tokens(PRACTICE)]
    assert not any(PRACTICE.tradition in text for text in texts)


def test_an_empty_field_gives_no_token():
    tokens = fields.practice_tokens(replace(PRACTICE, preparation=" ", cultural_context=""))
    assert [token.slot for token in tokens] == [0, 4, 5]


def test_a_practice_without_any_text_still_has_a_token():
    empty = PracticeRecord("x", "", "", (), "", "")
    assert len(fields.practice_tokens(empty)) == 1


def test_indications_beyond_the_ordered_ones_share_a_slot_within_the_table():
    many = replace(PRACTICE, indications=tuple(f"mock condition {index}" for index in range(30)))
    tokens = fields.practice_tokens(many)
    assert len(tokens) == 33
    assert max(token.slot for token in tokens) == fields.PRACTICE_SLOTS - 1


def test_target_tokens_are_identity_pathways_tissues_and_diseases():
    tokens = fields.target_tokens(TARGET)
    assert [token.text for token in tokens] == [
        "FAKE1: fake receptor 1",
        "invented pathway",
        "invented tissue",
        "testache",
    ]
    assert [token.slot for token in tokens] == [0, 1, 2, 3]


def test_masking_takes_out_conditions_and_telling_words_of_the_own_indications():
    masked = fields.mask_conditions(
        "Leaf against Testaches, strong fever and cold", ("testache", "cold"), ("chronic mock_fever",)
    )
    assert masked == "Leaf against , strong and"


def test_masking_leaves_parts_of_other_words():
    assert fields.mask_conditions("coldly brewed", ("cold",), ()) == "coldly brewed"


def test_only_indications_with_a_known_wording_have_variants():
    tokens = fields.practice_tokens(replace(PRACTICE, indications=("Insomnia", "testache")))
    assert {index for index, _ in fields.practice_variants(tokens)} == {3}


def test_a_synonym_is_never_the_indication_itself():
    for indication, synonyms in fields.INDICATION_SYNONYMS.items():
        assert indication == indication.lower()
        assert synonyms
        assert indication not in synonyms


def test_a_target_may_be_named_by_symbol_or_by_name():
    assert [text for _, text in fields.target_variants(TARGET)] == ["FAKE1", "fake receptor 1"]
