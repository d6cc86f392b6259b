"""An export is on record with its recipient and items before its files are there."""

from __future__ import annotations

import getpass
import uuid
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError

from ethics.models import AuditEvent
from ethics.policy import Audience, LabelRule, Purpose
from genomepath.export_records import export_record_add
from genomepath.models import ExportRecord
from tests.admin_people import make_label
from tests.factories import make_practice, make_training_catalogue
from tests.genomepath.withdrawal_cases import DATA, object_to

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


def add(*items, audience: Audience = Audience.COMMERCIAL, **fields) -> ExportRecord:
    return export_record_add(
        what="training set",
        recipient="Synthetic university",
        data_sha256=DATA,
        item_public_ids=items,
        audiences=[audience],
        **fields,
    )


def test_an_item_that_nobody_knows_is_not_handed_out():
    with pytest.raises(ValidationError, match="nothing is handed out"):
        add(uuid.uuid4())


def test_an_item_that_its_audience_may_not_be_handed_is_not_handed_out():
    item = make_practice().item
    item.item_labels.create(label=make_label(LabelRule.NON_COMMERCIAL))

    with pytest.raises(ValidationError, match="nothing is handed out"):
        add(item.public_id)

    assert add(item.public_id, audience=Audience.RESEARCH).audiences == ["research"]


def test_an_item_that_another_use_of_the_export_refuses_is_not_handed_out():
    item = make_practice().item
    item.item_labels.create(label=make_label(LabelRule.NON_COMMERCIAL))

    with pytest.raises(ValidationError, match="nothing is handed out"):
        add(item.public_id, audience=Audience.RESEARCH, also_for=[(Purpose.TRAINING, Audience.COMMERCIAL)])


def test_an_item_that_left_use_is_not_handed_out():
    practice = make_practice()
    object_to(practice)

    with pytest.raises(ValidationError, match="nothing is handed out"):
        add(practice.item.public_id)
