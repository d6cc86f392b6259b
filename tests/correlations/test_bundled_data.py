"""What the bundled data holds, and what it must not hold."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from correlations.bundled import DOSES, BundledData, SacredPlaceholder, read_bundled
from correlations.bundled import reader as bundled_reader
from correlations.bundled.reader import DATA_FOLDER

EFFICACY = re.compile(
    r"\b(cures?|cured|curing|treats?|treated|heals?|healed|healing|effective(ly)?|efficacy|efficacious|proven|proves?"
    r"|therapeutic|relieves?|works? (for|against))\b",
    re.IGNORECASE,
)
UNWANTED = re.compile(r"\b(abort\w*|child(ren)?|infants?|bab(y|ies)|paediatric|pediatric|veterinary)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def data() -> BundledData:
    return read_bundled()


def test_the_data_reaches_its_aims(data):
    assert len(data.practices) >= 30
    assert len({practice.tradition for practice in data.practices}) >= 30
    assert len(data.sacred_placeholders) == 6
    assert len(data.targets) == 46
    assert len(data.synergy_pairs) >= 11
    assert len(data.evidence) >= 130


def test_every_row_names_its_source(data):
    with_source = (
        *data.communities,
        *data.sacred_placeholders,
        *data.targets,
        *data.evidence,
        *data.synergy_pairs,
        *data.labels,
        *data.conditions,
        *data.condition_links,
        *data.dosage_profiles,
    )
    assert all(row.source for row in with_source)
    assert all(citation.reference for practice in data.practices for citation in practice.sources)
    assert all(row.reference for row in (*data.evidence, *data.synergy_pairs))


def test_every_community_has_an_attribution_statement(data):
    assert all(community.attribution.endswith(".") for community in data.communities)
    holders = {community.slug: community for community in data.communities}
    for practice in data.practices:
        assert holders[practice.community].attribution.startswith("Documented knowledge of ")


def test_targets_carry_every_identifier(data):
    for target in data.targets:
        assert re.fullmatch(r"HGNC:\d+", target.hgnc_id)
        assert re.fullmatch(r"ENSG\d{11}", target.ensembl_gene_id)
        assert target.entrez_id.isdigit()
        assert target.uniprot
    for identifier in ("hgnc_id", "ensembl_gene_id", "entrez_id", "uniprot"):
        assert len({getattr(target, identifier) for target in data.targets}) == 46


def test_no_disease_association_claims_a_study_count_without_a_source(data):
    assert {a.study_count for target in data.targets for a in target.disease_associations} == {None}


def test_three_modelled_doses_without_amounts_stand_beside_each_practice(data):
    profiles = {(profile.practice, profile.dose) for profile in data.dosage_profiles}
    assert profiles == {(practice.slug, dose) for practice in data.practices for dose in DOSES}
    for profile in data.dosage_profiles:
        assert profile.basis == "modelled"
        assert profile.range_text == ""
        assert profile.note == "no source resolves dose"


def test_communities_alone_apply_labels_so_no_practice_carries_one(data):
    kinds = {label.code: label.kind for label in data.labels}
    assert {kinds[code] for practice in data.practices for code in practice.labels} <= {"notice"}


def test_a_sacred_placeholder_has_no_room_for_detail(data):
    assert {field.name for field in fields(SacredPlaceholder)} == {
        "id",
        "community",
        "sacred_status",
        "protected_names",
        "source",
    }
    for number, placeholder in enumerate(data.sacred_placeholders, start=1):
        assert placeholder.id == f"sacred-record-{number}"
        assert placeholder.protected_names == (f"Sacred record {number}",)


def test_communities_of_sacred_records_hold_no_bundled_practice(data):
    sacred = {placeholder.community for placeholder in data.sacred_placeholders}
    assert sacred.isdisjoint(practice.community for practice in data.practices)


def test_our_wording_claims_no_efficacy(data):
    for text in _own_wording(data):
        assert not EFFICACY.search(text), text


def test_practices_surface_no_use_that_the_sources_warn_of(data):
    for practice in data.practices:
        for text in (practice.title, practice.preparation, practice.cultural_context, practice.note):
            assert not UNWANTED.search(text), text


def test_no_citation_is_an_index_number_of_a_search_tool():
    for file in DATA_FOLDER.glob("*.json"):
        assert "index id" not in file.read_text(encoding="utf-8"), file.name


def test_sources_file_names_every_provider(data):
    sources = (Path(bundled_reader.__file__).parent / "SOURCES.md").read_text(encoding="utf-8")
    for provider in (
        "HGNC",
        "Mondo",
        "MeSH",
        "Reactome",
        "Human Phenotype Ontology",
        "Human Protein Atlas",
        "Local Contexts",
    ):
        assert provider in sources


def _own_wording(data: BundledData) -> list[str]:
    texts = [community.attribution for community in data.communities]
    for practice in data.practices:
        texts += [practice.title, practice.preparation, practice.cultural_context, practice.note]
    for row in data.evidence:
        texts += [row.mechanism, row.effect_direction, row.note]
    for pair in data.synergy_pairs:
        texts += [pair.interaction, pair.kind, pair.note]
    texts += [label.meaning for label in data.labels]
    texts += [link.reason for link in data.condition_links]
    return texts
