"""A day of the platform under the application's role, on committed rows: no grant is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from correlations.curation import correlation_set_status, curated_record_save
from correlations.importing.phase3 import phase3_import
from correlations.models import Correlation, Practice
from correlations.vocabulary import ReviewStatus
from ethics.audit.sealing import seal_round
from ethics.audit.verification import audit_log_verify
from ethics.consent import consent_record, consent_withdraw
from ethics.models import AuditEvent, AuditHead, WithdrawalCase
from ethics.policy import Audience, ConsentState, Purpose
from genomepath.models import TrainingRun
from genomepath.models.training_run import RunKind
from genomepath.runs import run_request
from genomepath.withdrawal_processing import withdrawals_process
from tests.correlations.phase3_export import found_from_practice, practice, write_export
from tests.database_roles import needs_two_roles, one
from tests.factories import make_catalogue

pytestmark = needs_two_roles


def import_and_curate(folder: Path) -> Practice:
    phase3_import(
        folder=write_export(folder, practices=[practice(1)], correlations=[found_from_practice(1, practice=1)])
    )
    imported = Practice.objects.get()
    imported.region = "a region"
    curated_record_save(instance=imported, changed_fields=["region"], created=False)
    for correlation in Correlation.objects.filter(practice=imported):
        correlation_set_status(correlation=correlation, status=ReviewStatus.REVIEW)
    return imported


def consent_and_withdraw(of: Practice) -> None:
    consent = consent_record(
        community=of.item.community,
        items=[of.item],
        purposes=[Purpose.TRAINING, Purpose.PREDICTION],
        audiences=[Audience.PLATFORM, Audience.COMMERCIAL],
        state=ConsentState.GRANTED,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        document_reference="a letter",
        recorded_by="a steward",
    )
    consent_withdraw(consent=consent, reason="asked by the council")
    withdrawals_process()


def test_import_curation_consent_withdrawal_training_prediction_and_sealing(
    committed_database, django_db_blocker, make_api_client, tmp_path
) -> None:
    with django_db_blocker.unblock():
        consent_and_withdraw(import_and_curate(tmp_path / "export"))
        run_request(kind=RunKind.TRAINING, preset="small", requested_by="an engineer", enqueue=False)
        slug = make_catalogue().practices[0].slug
        answer = make_api_client().http.get(f"/api/v1/predictions/practices/{slug}/targets/")
        sealed = seal_round()

        assert one("SELECT session_user") == settings.DATABASE_APP_ROLE
        assert answer.status_code == 200
        assert TrainingRun.objects.get().state == "queued"
        assert WithdrawalCase.objects.exists()
        assert sealed == AuditEvent.objects.count() == AuditHead.objects.get().tree_size
        assert audit_log_verify().ok
