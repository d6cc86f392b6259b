"""A citation counts when somebody can look it up."""

from __future__ import annotations

import pytest

from correlations.importing.citations import read_citation


@pytest.mark.parametrize(
    "text",
    [
        "PMID:12345678",
        "PMID:45678901",
        "PMID: 98765432",
        "pmid:11111111",
        "PMID:0",
        "https://pubmed.ncbi.nlm.nih.gov/12345678/",
        "DOI:10.1234/example",
        "10.5555/12345678",
        "ISBN:9780000000001",
        "ISBN 1234567890",
        "literature_review",
        "ethnobotany_somewhere",
        "TBD",
        "n/a",
        "",
        "   ",
        "x" * 3000,
    ],
)
def test_placeholders_are_dropped(text):
    assert read_citation(text) is None


@pytest.mark.parametrize(
    ("text", "key", "reference"),
    [
        ("PMID:31415926", "pmid:31415926", "PMID:31415926"),
        ("pmid 00314159", "pmid:314159", "PMID:314159"),
        ("https://doi.org/10.9999/Abc.1", "doi:10.9999/abc.1", "doi:10.9999/abc.1"),
        ("ISBN:978-0-306-40615-7", "isbn:9780306406157", "ISBN:9780306406157"),
        ("ISBN:0306406152", "isbn:0306406152", "ISBN:0306406152"),
        ("DrugBank:DB00470", "drugbank:db00470", "DrugBank:DB00470"),
        ("A synthetic herbal, 1640", "a synthetic herbal, 1640", "A synthetic herbal, 1640"),
    ],
)
def test_real_citations_keep_their_reference_under_a_stable_key(text, key, reference):
    citation = read_citation(text)
    assert citation is not None
    assert (citation.key, citation.reference) == (key, reference)


def test_a_short_pubmed_id_of_running_digits_is_real():
    assert read_citation("PMID:123") is not None


def test_a_long_text_has_a_bounded_key():
    citation = read_citation("A synthetic reference, " + "long " * 100)
    assert citation is not None
    assert len(citation.key) <= 100
