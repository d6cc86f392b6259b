"""A quarantined row is corrected and replayed through the same acceptance, or dismissed with a reason."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from correlations.importing.phase3 import phase3_import
from correlations.importing.quarantine import quarantine_dismiss, quarantine_replay
from correlations.models import Correlation, GenomicTarget, Practice, QuarantinedRow
from ethics.audit import AuditContext
from ethics.models import AuditEvent, GovernedItem
from tests.correlations.phase3_export import found_from_gene, found_from_practice, gene, practice, write_export

pytestmark = pytest.mark.django_db

CURATOR = AuditContext(actor_name="synthetic curator", actor_role="curator")


@pytest.fixture
def quarantined(tmp_path):
    """Imports an export and returns its one quarantined row."""

    def make(**parts) -> QuarantinedRow:
        phase3_import(folder=write_export(tmp_path / "export", **parts))
        return QuarantinedRow.objects.earliest("pk")

    return make


def corrected(row: QuarantinedRow, **fields) -> str:
    return json.dumps({**json.loads(row.raw), **fields})


def test_a_corrected_row_becomes_a_draft_with_an_event_of_the_curator(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    result = quarantine_replay(row=row, corrected=corrected(row, genomic_target="CNR2"), actor=CURATOR)
    assert (result.accepted, result.outcome, row.state) == (True, "draft", "accepted")
    assert row.resolved_at is not None
    assert json.loads(row.corrected)["genomic_target"] == "CNR2"
    assert Correlation.objects.get().target.symbol == "CNR2"
    event = AuditEvent.objects.get(event_type="quarantine.replayed")
    assert (event.actor_name, event.details) == ("synthetic curator", {"outcome": "draft"})


def test_a_row_that_still_does_not_resolve_stays_open_with_the_new_explanation(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    result = quarantine_replay(row=row, corrected=corrected(row, genomic_target="SYNTHETIC99"))
    assert (result.accepted, row.state, row.reason) == (False, "open", "target_unknown")
    assert "SYNTHETIC99" in row.explanation
    assert json.loads(row.raw)["genomic_target"] == "CB receptor"
    assert not Correlation.objects.exists()


def test_a_failed_replay_leaves_no_target_behind(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    quarantine_replay(row=row, corrected=corrected(row, genomic_target="INSR", confidence=5))
    assert not GenomicTarget.objects.filter(symbol="INSR").exists()


def test_a_row_for_an_absent_practice_can_be_given_one(quarantined):
    row = quarantined(correlations=[found_from_gene(tk_practice_predicted="Traditional Practice some_theme")])
    assert quarantine_replay(row=row, corrected=corrected(row, tk_practice_id="TK_0001")).accepted
    assert Correlation.objects.get().direction == "genomic_to_tk"


def test_a_target_added_to_the_catalogue_lets_the_same_row_pass(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="SYNTHETIC99")])
    GenomicTarget.objects.create(symbol="SYN99", name="synthetic", aliases=["SYNTHETIC99"], source="synthetic")
    assert quarantine_replay(row=row, corrected=row.raw).accepted


def test_a_corrected_row_that_is_recorded_already_is_closed_as_a_duplicate(quarantined):
    row = quarantined(correlations=[found_from_practice(1), found_from_practice(2, genomic_target="CB receptor")])
    result = quarantine_replay(row=row, corrected=corrected(row, genomic_target="CB1"))
    assert (result.accepted, result.outcome, row.state) == (True, "already_recorded", "accepted")
    assert Correlation.objects.count() == 1


def test_a_practice_is_replayed_first_and_then_its_correlation(quarantined):
    row = quarantined(practices=[practice(indications="not a list")])
    dependent = QuarantinedRow.objects.get(reason="practice_quarantined")
    assert quarantine_replay(row=row, corrected=corrected(row, indications=["synthetic_condition"])).accepted
    assert quarantine_replay(row=dependent, corrected=dependent.raw).accepted
    assert Practice.objects.get().correlations.count() == 1


def test_a_gene_is_replayed(quarantined):
    row = quarantined(genes=[gene("CB receptor")], correlations=[])
    assert quarantine_replay(row=row, corrected=corrected(row, gene_id="CNR1")).outcome == "created"


def test_a_practice_corrected_to_ceremonial_loses_its_content_in_quarantine(quarantined):
    row = quarantined(
        practices=[practice(indications="not a list", cultural_context="canary-1", practice_name="Canary-1 name")]
    )
    text = corrected(row, indications=["a"], ceremonial_significance=True)
    assert quarantine_replay(row=row, corrected=text).outcome == "sacred"
    assert GovernedItem.objects.get().sacred_status == "sacred"
    assert "anary" not in row.raw + row.corrected + row.explanation + row.row_key


@pytest.mark.parametrize(
    "text", ["", "{", "not json", '{"a": NaN}', '{"a": 1, "a": 2}', "{} {}", "[" * 5000, "9" * 5000]
)
def test_text_that_is_not_one_json_value_is_refused_and_changes_nothing(quarantined, text):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    with pytest.raises(ValidationError):
        quarantine_replay(row=row, corrected=text)
    row.refresh_from_db()
    assert (row.state, row.corrected) == ("open", "")
    assert not AuditEvent.objects.filter(event_type="quarantine.replayed").exists()


def test_a_closed_row_cannot_be_replayed_or_dismissed_again(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    quarantine_dismiss(row=row, reason="not a gene")
    with pytest.raises(ValidationError, match="dismissed already"):
        quarantine_replay(row=row, corrected=row.raw)
    with pytest.raises(ValidationError, match="dismissed already"):
        quarantine_dismiss(row=row, reason="again")


def test_a_dismissal_keeps_its_reason_in_the_log(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    quarantine_dismiss(row=row, reason="  not a gene ", actor=CURATOR)
    assert row.state == "dismissed"
    event = AuditEvent.objects.get(event_type="quarantine.dismissed")
    assert (event.reason, event.actor_role) == ("not a gene", "curator")
    assert event.subject_ids[0].endswith(":training_correlations.json:1")


def test_a_dismissal_needs_a_reason(quarantined):
    row = quarantined(correlations=[found_from_practice(genomic_target="CB receptor")])
    with pytest.raises(ValidationError):
        quarantine_dismiss(row=row, reason=" ")
