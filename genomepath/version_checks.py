"""What is looked at each time before a model version goes into service, by the gate and by a rollback."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone

from correlations.models import Practice
from ethics.attribution import attribution_for
from ethics.models.client import CLIENT_AUDIENCES
from ethics.policy import Purpose
from genomepath.artefacts import artefact_root, model_folder
from genomepath.ethics_scan import scan_folders
from genomepath.models import ModelVersion


def scan_is_clean(version: ModelVersion) -> bool:
    """Whether the ethics scan finds nothing withheld in the files of the model and of its snapshot.

    Raises:
        ValidationError: the files are gone.
    """
    try:
        return not scan_folders([model_folder(version), artefact_root() / version.snapshot_folder])
    except FileNotFoundError as error:
        raise ValidationError(f"The files of this model version are gone: {error}") from error


def attribution_complete() -> bool:
    """Whether every practice that any client may be shown comes with community, statement and basis."""
    now = timezone.now()
    for audience in CLIENT_AUDIENCES:
        practices = Practice.objects.permitted_for(Purpose.PREDICTION, audience, now).with_policy_facts()
        for practice in practices:
            statement = attribution_for(practice.item, Purpose.PREDICTION, audience, now)
            if statement is None or not (statement["statement"].strip() and statement["community"]["name"].strip()):
                return False
            if not (statement["basis"]["source"].strip() or statement["basis"]["consent_reference"]):
                return False
    return True
