"""Every target stands in the report with its number on each protocol, and the card lists all that are missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genomepath.ml.performance_targets import PROTOCOLS, target_outcomes
from genomepath.reporting.document import Heading, Table
from genomepath.reporting.model_card import model_card
from genomepath.reporting.targets_and_gate import targets_and_gate, unmet
from tests.genomepath.report_reader import sentences


def tables(blocks) -> dict[str, Table]:
    return {block.caption: block for block in blocks if isinstance(block, Table)}


def trained_to(material, best_epoch, **record):
    return replace(material, model=replace(material.model, best_epoch=best_epoch, history=({"epoch": 1, **record},)))


def test_minimum_production_and_ours_are_judged_on_p1_p2_and_p3(material):
    found = tables(targets_and_gate(material))

    for protocol in PROTOCOLS:
        table = found[f"Targets on {protocol}"]
        assert table.header == ["target", "reached", "minimum", "production", "ours"]
        assert table.rows == [row.cells for row in target_outcomes(material.evaluation, protocol)]


def test_the_coverage_of_the_sets_is_a_target_of_every_protocol(material):
    found = tables(targets_and_gate(material))

    for protocol in PROTOCOLS:
        names = [row[0] for row in found[f"Targets on {protocol}"].rows]
        assert [name for name in names if "90% sets" in name] == [
            "Coverage of the 90% sets TK→G",
            "Coverage of the 90% sets G→TK",
        ]


def test_the_section_says_where_the_attempts_stand(material):
    assert (
        "Where the attempts at targets that are missed stand: docs/model_choices.md."
        in sentences(targets_and_gate(material))[0]
    )


def test_what_the_oracle_misses_too_is_said_to_be_out_of_reach(material):
    recall = material.evaluation.protocols["P2"].scorers["rule"].dose_recall["low"]["5"].value

    said = [text for text in sentences(targets_and_gate(material)) if text.startswith("Dose low, recall@5 on P2")]

    assert bool(said) == (recall < 0.85)


def test_without_an_oracle_nothing_is_said_to_be_out_of_reach(imported):
    assert not any("oracle" in text for text in sentences(targets_and_gate(imported)))


@pytest.mark.parametrize(("loss", "verdict"), [(0.1499, "< 0.15: met"), (0.15, "< 0.15: NOT MET")])
def test_the_validation_loss_of_the_kept_weights_is_judged(material, loss, verdict):
    table = tables(targets_and_gate(trained_to(material, 1, validation_loss=loss)))["Target of the training"]

    assert table.rows == [["Validation loss", f"{loss:.4f} after epoch 1, whose weights are kept", verdict]]


def test_the_loss_is_that_of_the_kept_weights_and_not_the_lowest(material):
    rows = tables(targets_and_gate(material))["Target of the training"].rows

    assert rows[0][1].startswith("0.1200 after epoch 2")


def test_weights_that_are_kept_as_they_started_have_no_loss(material):
    rows = tables(targets_and_gate(trained_to(material, 0, validation_loss=0.1)))["Target of the training"].rows

    assert rows == [["Validation loss", "not measured", "< 0.15: not measured"]]


def test_every_missed_level_of_every_protocol_is_listed(material):
    missed = [row for protocol in PROTOCOLS for row in target_outcomes(material.evaluation, protocol) if row.missed]

    listed = unmet(material)

    assert {text.split(" on ")[1][:2] for text in listed} == set(PROTOCOLS)
    assert len(listed) == len(missed)
    assert f"{missed[-1].name} on P3: {missed[-1].reached} (misses {', '.join(missed[-1].missed)})" == listed[-1]


def test_a_missed_validation_loss_is_listed(material):
    assert unmet(trained_to(material, 1, validation_loss=0.2))[-1] == (
        "Validation loss of the training: 0.2000 (misses < 0.15)"
    )


def test_the_model_card_lists_all_that_is_missed(material):
    blocks = list(model_card(material).blocks)

    place = blocks.index(Heading("Targets not met", 3))

    assert sentences(blocks[place + 1 : place + 2]) == unmet(material)
