"""``load_bundled``: adds what is missing, changes nothing that is there."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from correlations.catalogue import bundled_load
from correlations.models import (
    Correlation,
    DosageProfile,
    Evidence,
    GenomicTarget,
    Practice,
    SynergyPair,
)
from ethics.attribution import attribution_for
from ethics.models import AuditEvent, GovernedItem
from ethics.policy import Audience, Purpose, SacredStatus
from ethics.stewardship import item_set_status
from genomepath.snapshots import snapshot_take

pytestmark = pytest.mark.django_db


def load() -> dict[str, int]:
    output = StringIO()
    call_command("load_bundled", "--json", stdout=output)
    counts: dict[str, int] = json.loads(output.getvalue())
    return counts


@pytest.fixture
def loaded() -> dict[str, int]:
    return load()


def test_the_bundled_data_has_the_size_it_promises(loaded):
    practices = Practice.objects.filter(origin="bundled")

    assert practices.count() == loaded["practices"] >= 30
    assert practices.values("tradition").distinct().count() >= 30
    assert GenomicTarget.objects.count() == loaded["targets"] == 46
    assert Correlation.objects.count() == loaded["correlations"] >= 500
    assert set(Correlation.objects.values_list("direction", flat=True)) == {"tk_to_genomic", "genomic_to_tk"}
    assert SynergyPair.objects.count() == loaded["synergies"] >= 11
    assert loaded["sacred_placeholders"] >= 1


def test_every_practice_has_three_dosage_profiles(loaded):
    for practice in Practice.objects.prefetch_related("dosage_profiles"):
        assert sorted(profile.level for profile in practice.dosage_profiles.all()) == ["high", "low", "medium"]


def test_every_row_names_its_source(loaded):
    assert not Practice.objects.filter(sources=None).exists()
    assert not GovernedItem.objects.filter(sacred_status="none", basis_source="").exists()
    assert not Correlation.objects.filter(evidence=None).exists()
    assert not Correlation.objects.filter(evidence_path=[]).exists()
    assert not DosageProfile.objects.filter(basis="sourced", amount_range="").exists()


def test_sacred_placeholders_hold_no_detail(loaded):
    placeholders = GovernedItem.objects.filter(practice=None)

    assert placeholders.count() == loaded["sacred_placeholders"]
    for item in placeholders:
        assert item.sacred_status != "none"
        assert (item.display_label, item.basis, item.basis_source) == ("", "none", "")


def test_every_practice_may_be_predicted_and_comes_with_its_attribution(loaded):
    now = timezone.now()
    permitted = Practice.objects.permitted_for(Purpose.PREDICTION, Audience.COMMERCIAL, now).with_policy_facts()

    assert permitted.count() == loaded["practices"]
    for practice in permitted:
        statement = attribution_for(practice.item, Purpose.PREDICTION, Audience.COMMERCIAL, now)
        assert statement is not None
        assert statement["community"]["name"] and statement["statement"]


def test_what_is_loaded_can_be_trained_on_without_drafts(loaded):
    snapshot = snapshot_take(include_drafts=False).snapshot

    assert len(snapshot.practices) == loaded["practices"]
    assert len(snapshot.correlations) >= 500


def rows_of_everything() -> dict[str, list]:
    models = (Practice, GenomicTarget, Evidence, Correlation, SynergyPair, DosageProfile, GovernedItem)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_a_second_load_changes_nothing_and_records_nothing(loaded):
    before = rows_of_everything()
    events = AuditEvent.objects.count()

    assert not any(load().values())

    assert rows_of_everything() == before
    assert AuditEvent.objects.count() == events


def test_loading_is_recorded_with_its_counts(loaded):
    event = AuditEvent.objects.get(event_type="catalogue.loaded")

    assert event.details == {
        name: loaded[name] for name in ("practices", "targets", "correlations", "evidence", "synergies")
    }
    assert event.actor_role == "command"


def test_a_curators_edits_stay(loaded):
    Practice.objects.order_by("slug").update(preparation="as the curator wrote it")
    GenomicTarget.objects.update(name="as the curator wrote it")
    Correlation.objects.update(status="rejected", mechanism="as the curator wrote it")
    DosageProfile.objects.update(note="as the curator wrote it")
    before = rows_of_everything()

    load()

    assert rows_of_everything() == before


def test_a_renamed_practice_or_target_is_not_loaded_a_second_time(loaded):
    Practice.objects.filter(pk=Practice.objects.order_by("slug")[0].pk).update(slug="renamed-by-a-curator")
    with_evidence = Evidence.objects.exclude(target=None).values("target")[:1]
    GenomicTarget.objects.filter(pk__in=with_evidence).update(symbol="RENAMED1")
    before = rows_of_everything()

    assert bundled_load().is_empty

    assert rows_of_everything() == before


def test_what_was_deleted_is_added_again(loaded):
    Correlation.objects.filter(pk__in=Correlation.objects.values("pk")[:5]).delete()
    SynergyPair.objects.all()[0].delete()

    added = load()

    assert {name: count for name, count in added.items() if count} == {"correlations": 5, "synergies": 1}


def test_a_practice_that_became_sacred_is_not_brought_back(loaded):
    practice = Practice.objects.order_by("slug")[0]
    item_set_status(item=practice.item, status=SacredStatus.SACRED)

    load()

    assert Practice.objects.count() == loaded["practices"]
    assert GovernedItem.objects.get(pk=practice.item_id).display_label == ""
    slugs = {record.slug for record in snapshot_take(include_drafts=False).snapshot.practices}
    assert practice.slug not in slugs
