"""An export is on record with its recipient and items before its files are there."""

from __future__ import annotations

import getpass
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import AuditEvent
from genomepath.models import ExportRecord
from tests.factories import make_training_catalogue

pytestmark = pytest.mark.django_db


def test_an_exported_training_set_names_its_recipient_and_items(tmp_path):
    catalogue = make_training_catalogue()

    call_command("export_training_set", str(tmp_path / "set"), "--recipient", "Synthetic university", stdout=StringIO())

    record = ExportRecord.objects.get()
    assert (record.what, record.recipient) == ("training set", "Synthetic university")
    assert set(record.item_public_ids) == {practice.item.public_id for practice in catalogue.practices}
    event = AuditEvent.objects.get(event_type="export.handed_out")
    assert event.subject_ids == [str(record.public_id)]
    assert event.community_ids == sorted(practice.item.community.slug for practice in catalogue.practices)
    assert "Synthetic university" not in event.canonical, "people are named in the record alone"


def test_without_a_recipient_it_is_the_account_that_exports(tmp_path):
    make_training_catalogue()

    call_command("export_training_set", str(tmp_path / "set"), stdout=StringIO())

    assert ExportRecord.objects.get().recipient == getpass.getuser()


def test_an_export_for_nobody_is_not_made(tmp_path):
    make_training_catalogue()

    with pytest.raises(CommandError):
        call_command("export_training_set", str(tmp_path / "set"), "--recipient", " ", stdout=StringIO())

    assert not (tmp_path / "set").exists()
    assert not ExportRecord.objects.exists()
