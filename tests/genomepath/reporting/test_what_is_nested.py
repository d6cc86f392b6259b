"""No report claims that nothing was chosen on the data that it judges by."""

from __future__ import annotations

import pytest

from genomepath.reporting.material import CONSTANTS
from genomepath.reporting.model_card import model_card
from genomepath.reporting.training_report import training_report
from genomepath.reporting.tuning_report import NAMES, TuningMaterial, tuning_report
from tests.genomepath.report_reader import sentences

METRICS = (
    "mrr",
    "chance_mrr",
    "tk_to_genomic_mrr",
    "tk_to_genomic_accuracy_at_5",
    "genomic_to_tk_mrr",
    "genomic_to_tk_accuracy_at_3",
    "validation_loss",
)


@pytest.mark.parametrize("document", [training_report, model_card])
def test_report_and_card_say_that_constants_were_chosen_while_outer_numbers_were_seen(material, document):
    assert CONSTANTS in sentences(document(material).blocks)


def test_the_statement_names_what_is_nested_what_is_not_and_where_it_stands():
    assert CONSTANTS.startswith("Weights, early stopping and calibration are nested")
    assert "chosen on inner parts of the bundled data while its outer numbers were seen" in CONSTANTS
    assert "docs/model_choices.md" in CONSTANTS


def test_a_tuning_report_promises_no_blind_judgement():
    point = dict.fromkeys((*NAMES, *METRICS), 1.0) | {
        "number": 0,
        "best_epoch": 1,
        "epochs": 1,
        "seconds": 1.0,
        "peak_mib": 1.0,
    }
    study = TuningMaterial("small", 0, 1, "0" * 64, "", [point, point], 0)

    assert not any("nothing was chosen by" in text for text in sentences(tuning_report(study).blocks))
