"""A label's text on an item is versioned, and its version stands on every output that shows the text."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ethics.admin.visibility import COMMUNITY_STEWARD
from ethics.attribution import LabelNotice, attribution_for
from ethics.models import AuditEvent, GovernedItem, ItemLabel, Label
from ethics.policy import Audience, Purpose
from ethics.records import governance_record_delete, governance_record_save
from tests.admin_forms import form_data
from tests.admin_people import make_label, make_person
from tests.factories import make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> GovernedItem:
    return make_item()


@pytest.fixture
def entry(item: GovernedItem) -> ItemLabel:
    entry = ItemLabel(item=item, label=make_label(), community_text="our first words")
    governance_record_save(instance=entry, changed_fields=[], created=True)
    return entry


def shown(item: GovernedItem) -> LabelNotice:
    read = GovernedItem.objects.with_policy_facts().get(pk=item.pk)
    attribution = attribution_for(read, Purpose.PREDICTION, Audience.RESEARCH, timezone.now())
    assert attribution is not None
    (notice,) = attribution["labels"]
    return notice


def history() -> list[tuple[str, str]]:
    events = ItemLabel.pgh_event_model.objects.order_by("pgh_id")  # type: ignore[attr-defined]
    return list(events.values_list("pgh_label", "community_text"))


def test_a_changed_text_has_another_version_and_the_former_one_is_kept(item: GovernedItem, entry: ItemLabel) -> None:
    first = shown(item)
    entry.community_text = "our second words"
    governance_record_save(instance=entry, changed_fields=["community_text"], created=False)
    second = shown(item)
    assert (first["meaning"], second["meaning"]) == ("our first words", "our second words")
    assert first["version"] != second["version"]
    texts = {str(event.version): event.community_text for event in ItemLabel.pgh_event_model.objects.all()}  # type: ignore[attr-defined]
    assert (texts[first["version"]], texts[second["version"]]) == ("our first words", "our second words")


def test_a_save_without_a_change_keeps_the_version(item: GovernedItem, entry: ItemLabel) -> None:
    before = shown(item)
    governance_record_save(instance=ItemLabel.objects.get(), changed_fields=[], created=False)
    assert shown(item) == before


def test_raw_sql_cannot_change_a_text_under_its_version(item: GovernedItem, entry: ItemLabel) -> None:
    before = shown(item)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ethics_itemlabel SET community_text = 'other words'")
    assert shown(item)["version"] != before["version"]


def test_without_words_of_the_community_the_version_is_that_of_the_vocabulary(item: GovernedItem) -> None:
    label = make_label()
    ItemLabel.objects.create(item=item, label=label)
    before = shown(item)
    assert before["version"] == str(label.version)
    Label.objects.filter(pk=label.pk).update(meaning="a better meaning")
    after = shown(item)
    assert after["meaning"] == "a better meaning"
    assert after["version"] != before["version"]


def test_putting_on_changing_and_taking_off_are_in_the_history_and_in_the_log(entry: ItemLabel) -> None:
    entry.community_text = "our second words"
    governance_record_save(instance=entry, changed_fields=["community_text"], created=False)
    governance_record_delete(instance=entry)
    assert history() == [
        ("insert", "our first words"),
        ("update", "our second words"),
        ("delete", "our second words"),
    ]
    actions = AuditEvent.objects.filter(event_type="curation.changed").order_by("id")
    assert [event.details["action"] for event in actions] == ["added", "changed", "removed"]
    named = [str(entry.item.public_id), entry.label.code]
    assert [event.subject_ids for event in actions] == [named] * 3


def test_the_history_names_who_changed_a_text(item: GovernedItem, entry: ItemLabel, client: Client) -> None:
    client.force_login(make_person(COMMUNITY_STEWARD, "steward"))
    page = reverse("admin:ethics_governeditem_change", args=[item.pk])
    data = form_data(client.get(page)) | {"item_labels-0-community_text": "our second words"}
    assert client.post(page, data).status_code == 302
    read = client.get(reverse("admin:ethics_itemlabel_history", args=[entry.pk])).content.decode()
    assert "our first words" in read
    assert "our second words" in read
    assert "steward" in read
