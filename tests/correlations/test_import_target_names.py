"""A target's name means one gene, or the row is set aside with the choices."""

from __future__ import annotations

import pytest

from correlations.importing.errors import Reason, RowProblem
from correlations.importing.gene_names import AMBIGUOUS, FAMILIES, GENES, PROCESSES, SEVERAL
from correlations.importing.target_names import TargetNames, comparable


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("CB2", "CNR2"),
        ("CNR2", "CNR2"),
        ("PARK2", "PRKN"),
        ("COX2", "PTGS2"),
        ("COX-2", "PTGS2"),
        ("NK1R", "TACR1"),
        ("NMDAR1", "GRIN1"),
        ("TNF-\u03b1", "TNF"),
        ("IL\u20111beta", "IL1B"),
        (" dopamine D2 ", "DRD2"),
        ("5-HT3", "HTR3A"),
        ("insulin receptors", "INSR"),
        ("mTOR", "MTOR"),
    ],
)
def test_symbols_previous_symbols_and_pharmacology_names_resolve_without_a_catalogue(name, symbol):
    assert TargetNames({}).resolve(name) == symbol


@pytest.mark.parametrize(
    ("name", "reason", "choice"),
    [
        ("CB receptor", Reason.TARGET_FAMILY, "CNR1, CNR2"),
        ("GABA-A", Reason.TARGET_FAMILY, "GABRA1"),
        ("AMPK", Reason.TARGET_FAMILY, "PRKAA1"),
        ("RANK/RANKL", Reason.TARGET_SEVERAL_GENES, "TNFSF11"),
        ("inflammatory pathways", Reason.TARGET_PROCESS, "TNF"),
        ("HTT", Reason.TARGET_AMBIGUOUS, "SLC6A4"),
    ],
)
def test_a_name_of_no_single_gene_is_refused_with_symbols_to_choose_from(name, reason, choice):
    with pytest.raises(RowProblem) as caught:
        TargetNames({}).resolve(name)
    assert caught.value.reason == reason
    assert choice in caught.value.explanation
    assert "replay" in caught.value.explanation


def test_an_unknown_name_is_never_replaced_by_another_gene():
    with pytest.raises(RowProblem) as caught:
        TargetNames({"CNR1": ["CB1"]}).resolve("SYNTHETIC99")
    assert caught.value.reason == Reason.TARGET_UNKNOWN


def test_an_alias_of_the_catalogue_resolves():
    assert TargetNames({"SYN1": ["synthetic kinase"]}).resolve("Synthetic-Kinase") == "SYN1"


def test_an_alias_of_two_targets_is_ambiguous():
    with pytest.raises(RowProblem) as caught:
        TargetNames({"SYN1": ["twin"], "SYN2": ["twin"]}).resolve("twin")
    assert caught.value.reason == Reason.TARGET_AMBIGUOUS
    assert "SYN1, SYN2" in caught.value.explanation


def test_a_catalogue_alias_does_not_turn_a_family_into_one_gene():
    with pytest.raises(RowProblem):
        TargetNames({"GABRA1": ["GABA-A"]}).resolve("GABA-A")


def test_a_symbol_of_the_catalogue_beats_every_table():
    assert TargetNames({"HTT": []}).resolve("HTT") == "HTT"


def test_the_explanation_shows_no_control_or_direction_characters_and_is_short():
    with pytest.raises(RowProblem) as caught:
        TargetNames({}).resolve("\u202eevil\x1b[31m" + "x" * 5000)
    assert "\u202e" not in caught.value.explanation
    assert "\x1b" not in caught.value.explanation
    assert len(caught.value.explanation) < 500


def test_no_name_of_the_table_means_two_genes():
    owners: dict[str, set[str]] = {}
    for entry in GENES:
        for name in (entry.symbol, entry.name, *entry.other_names):
            owners.setdefault(comparable(name), set()).add(entry.symbol)
    assert {name: symbols for name, symbols in owners.items() if len(symbols) > 1} == {}


def test_no_name_is_both_a_gene_and_a_refusal():
    genes = {comparable(name) for entry in GENES for name in (entry.symbol, entry.name, *entry.other_names)}
    entries = (*FAMILIES, *SEVERAL, *PROCESSES, *AMBIGUOUS)
    refused = [name for entry in entries for name in {comparable(name) for name in entry.names}]
    assert genes.isdisjoint(refused)
    assert len(refused) == len(set(refused))
