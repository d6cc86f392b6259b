"""A mark falls only by a new training on what may be used by now that gives the same weights; never by itself."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from ethics.models import AuditEvent
from ethics.stewardship import item_record_objection
from genomepath.artefacts import model_folder
from genomepath.models import ModelVersion
from genomepath.registry import model_promote, model_register


@pytest.fixture
def quarantined(evaluated) -> ModelVersion:
    """Its knowledge may be used again, as after a new consent."""
    version: ModelVersion = evaluated.version
    version.state, version.marked_at = "quarantined", timezone.now()
    version.save()
    return version


def trained_again(version: ModelVersion) -> ModelVersion:
    folder = model_folder(version)
    registered: ModelVersion = model_register(
        sha256=version.sha256, folder=folder, snapshot_folder=folder, trained_on=(), include_drafts=False
    )
    registered.refresh_from_db()
    return registered


def test_a_marked_version_stays_marked_when_consent_returns(quarantined):
    with pytest.raises(ValidationError, match="withheld"):
        model_promote(version=quarantined, promoted_by="engineer")


def test_the_same_weights_from_a_new_training_are_a_candidate_again(quarantined):
    again = trained_again(quarantined)

    assert (again, again.state, again.marked_at) == (quarantined, "candidate", None)
    assert AuditEvent.objects.filter(event_type="model.readmitted").count() == 1


def test_while_something_is_withheld_the_mark_stays(quarantined, evaluated):
    item_record_objection(item=evaluated.catalogue.practices[0].item, reference="letter", reason="reason")

    again = trained_again(quarantined)

    assert again.state == "quarantined"
    assert again.marked_at is not None
