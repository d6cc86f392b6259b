"""Curators write the catalogue through the admin: by services, with events, with messages beside the fields."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from correlations.curation import correlation_set_status, curated_record_save, practice_create
from correlations.models import Condition, Correlation, Evidence, GenomicTarget, Practice
from correlations.vocabulary import ReviewStatus
from ethics.admin.visibility import CURATOR
from ethics.models import AuditEvent, GovernedItem
from ethics.policy import Audience, Basis, Purpose
from tests.admin_forms import form_data
from tests.admin_people import make_person, make_quarantined_row
from tests.factories import make_community, make_correlation, make_evidence, make_practice, make_target

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_person(CURATOR, "curator"))
    return client


def events(event_type: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event_type=event_type).order_by("id"))


def practice_form(**changed: object) -> dict[str, object]:
    return {
        "title": "A synthetic practice",
        "slug": "a-synthetic-practice",
        "tradition": "synthetic tradition",
        "evidence_level": "ethnographic",
        "contraindications": "one, with a comma\ntwo",
        "community": make_community().pk,
        "basis": "documented",
        "basis_source": "A synthetic book",
        "statement": "Attributed to the synthetic community",
        "credited_name": "",
        "practice_indications-TOTAL_FORMS": 1,
        "practice_indications-INITIAL_FORMS": 0,
        "practice_indications-0-position": 0,
        "practice_indications-0-condition": Condition.objects.get_or_create(name="synthetic condition")[0].pk,
        "dosage_profiles-TOTAL_FORMS": 1,
        "dosage_profiles-INITIAL_FORMS": 0,
        "dosage_profiles-0-level": "low",
        "dosage_profiles-0-basis": "modelled",
        "change_reason": "synthetic reason",
        **changed,
    }


def test_a_practice_is_added_with_its_item_its_attribution_and_its_rows(curator: Client) -> None:
    source = make_evidence()
    response = curator.post(reverse("admin:correlations_practice_add"), practice_form(sources=[source.pk]))
    assert response.status_code == 302
    practice = Practice.objects.get()
    assert practice.contraindications == ["one, with a comma", "two"]
    assert list(practice.sources.all()) == [source]
    assert (practice.indications.count(), practice.dosage_profiles.count()) == (1, 1)
    permitted = GovernedItem.objects.permitted_for(Purpose.TRAINING, Audience.PLATFORM)
    assert permitted.filter(pk=practice.item_id).exists()
    (event,) = events("practice.created")
    assert (event.actor_name, event.subject_ids) == ("curator", [str(practice.item.public_id)])
    assert "synthetic practice" not in event.canonical


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"title": ""}, "title", "required"),
        ({"slug": "not a slug"}, "slug", "valid"),
        ({"basis_source": " "}, "basis_source", "Name the publication"),
        ({"community": 987654}, "community", "Select a valid choice"),
        ({"evidence_level": "gossip"}, "evidence_level", "Select a valid choice"),
        ({"contraindications": "x" * 301}, "contraindications", "at most 300"),
        ({"sources": [987654]}, "sources", "Select a valid choice"),
        ({"title": "nul \x00 byte"}, "title", "Null characters"),
    ],
)
def test_a_bad_practice_is_refused_beside_the_field_and_nothing_is_written(
    curator: Client, changed: dict, field: str, message: str
) -> None:
    response = curator.post(reverse("admin:correlations_practice_add"), practice_form(**changed))
    assert message in " ".join(response.context["adminform"].form.errors[field])
    assert not Practice.objects.exists()
    assert not GovernedItem.objects.exists()
    assert events("practice.created") == []


def test_a_sourced_dose_names_its_range(curator: Client) -> None:
    response = curator.post(
        reverse("admin:correlations_practice_add"), practice_form(**{"dosage_profiles-0-basis": "sourced"})
    )
    assert "names its range" in response.content.decode()
    assert not Practice.objects.exists()


def test_each_changed_row_of_a_practice_leaves_its_event(curator: Client) -> None:
    practice = make_practice(indications=("one", "two"))
    page = reverse("admin:correlations_practice_change", args=[practice.pk])
    data = form_data(curator.get(page))
    data |= {
        "region": "a region",
        "sources": [],
        "practice_indications-1-DELETE": "on",
        "dosage_profiles-0-note": "new",
    }
    assert curator.post(page, data).status_code == 302
    assert practice.indications.count() == 1
    assert [
        (event.details["model"], event.details["action"], event.details["fields"])
        for event in events("curation.changed")
    ] == [
        ("correlations.practice", "changed", ["region", "sources"]),
        ("correlations.practice", "changed", ["sources"]),
        ("correlations.practiceindication", "removed", []),
        ("correlations.dosageprofile", "changed", ["note"]),
    ]


def test_the_history_of_a_practice_says_who_changed_what(curator: Client) -> None:
    practice = make_practice(region="old region")
    page = reverse("admin:correlations_practice_change", args=[practice.pk])
    curator.post(page, form_data(curator.get(page)) | {"region": "new region"})
    history = curator.get(reverse("admin:correlations_practice_history", args=[practice.pk])).content.decode()
    for part in ("old region", "new region", "curator", "practice.updated"):
        assert part in history


@pytest.mark.parametrize(
    ("model", "form", "field", "message"),
    [
        ("evidence", {"key": "k", "reference": "r", "pmid": "12a", "level": "review"}, "pmid", "PubMed"),
        ("evidence", {"key": "k", "reference": "r", "doi": "https://doi.org/10.1/x", "level": "review"}, "doi", "DOI"),
        ("evidence", {"key": "k", "reference": "r", "year": 12, "level": "review"}, "year", "between 1400"),
        ("evidence", {"key": "k", "reference": "r", "level": "review", "verified": "on"}, "verified", "to check it by"),
        ("condition", {"name": "c", "mesh_id": "X1"}, "mesh_id", "MeSH"),
        ("condition", {"name": "c", "mondo_id": "MONDO:1"}, "mondo_id", "MONDO"),
        ("genomictarget", {"symbol": "not a symbol"}, "symbol", "HGNC symbol"),
        ("genomictarget", {"symbol": "SYN1", "pathways": '["x"]'}, "pathways", "Give a list such as"),
        ("genomictarget", {"symbol": "SYN1", "pathways": "{"}, "pathways", "valid JSON"),
        ("correlation", {"confidence": "1.5"}, "confidence", "at most 1"),
        ("correlation", {"confidence": "nan"}, "confidence", "number"),
    ],
)
def test_bad_input_is_answered_beside_the_field(
    curator: Client, model: str, form: dict, field: str, message: str
) -> None:
    page = reverse(f"admin:correlations_{model}_add")
    response = curator.post(page, form_data(curator.get(page)) | form)
    assert message in " ".join(response.context["adminform"].form.errors[field])


def test_a_pair_is_stored_with_the_smaller_symbol_first(curator: Client) -> None:
    first, second = make_target("SYNA"), make_target("SYNB")
    form = {"interaction": "i", "kind": "k", "evidence": make_evidence().pk, "change_reason": "synthetic reason"}
    page = reverse("admin:correlations_synergypair_add")
    curator.post(page, {**form, "target_a": second.pk, "target_b": first.pk})
    assert first.synergies_as_first.get().target_b == second
    same = curator.post(page, {**form, "target_a": first.pk, "target_b": first.pk})
    assert "two different targets" in " ".join(same.context["adminform"].form.errors["target_b"])


def test_a_new_correlation_is_a_draft_whose_quality_follows_from_its_confidence(curator: Client) -> None:
    form = {
        "practice": make_practice().pk, "target": make_target().pk, "direction": "tk_to_genomic", "dose": "low",
        "dose_basis": "modelled", "confidence": "0.8", "evidence_links-TOTAL_FORMS": 0, "evidence_links-INITIAL_FORMS": 0,
        "change_reason": "synthetic reason",
    }  # fmt: skip
    page = reverse("admin:correlations_correlation_add")
    assert curator.post(page, form).status_code == 302
    correlation = Correlation.objects.get()
    assert (correlation.status, correlation.quality, correlation.origin) == ("draft", "good", "manual")
    assert "already exists" in curator.post(page, form).content.decode()


def test_correlations_are_approved_and_rejected_in_bulk_with_an_event_each(curator: Client) -> None:
    practice = make_practice()
    rows = [make_correlation(practice, make_target(), status="draft") for _ in range(3)]
    rejected = make_correlation(practice, make_target(), status="rejected")
    page = reverse("admin:correlations_correlation_changelist")
    chosen = {"_selected_action": [row.pk for row in [*rows, rejected]], "change_reason": "read by two people"}
    response = curator.post(page, {"action": "approve", **chosen}, follow=True)
    assert set(Correlation.objects.filter(pk__in=[row.pk for row in rows]).values_list("status", flat=True)) == {
        "approved"
    }
    assert "cannot become" in response.content.decode()
    assert [event.reason for event in events("correlation.reviewed")] == ["read by two people"] * 3
    curator.post(page, {"action": "reject", "_selected_action": [rows[0].pk], "change_reason": "a mistake"})
    assert Correlation.objects.get(pk=rows[0].pk).status == "rejected"
    assert events("correlation.reviewed")[-1].details == {"from": "approved", "to": "rejected"}


def test_a_correlation_cannot_skip_the_review() -> None:
    correlation = make_correlation(make_practice(), make_target(), status="rejected")
    with pytest.raises(ValidationError, match="cannot become"):
        correlation_set_status(correlation=correlation, status=ReviewStatus.APPROVED)
    assert events("correlation.reviewed") == []


def test_a_record_that_breaks_a_rule_is_not_saved_and_leaves_no_event() -> None:
    target = make_target("SYN")
    target.hgnc_id = "not an id"
    with pytest.raises(ValidationError):
        curated_record_save(instance=target, changed_fields=["hgnc_id"], created=False)
    assert GenomicTarget.objects.get().hgnc_id == ""
    assert events("curation.changed") == []


def test_a_practice_without_title_leaves_no_item_behind() -> None:
    with pytest.raises(ValidationError):
        practice_create(
            practice=Practice(slug="x", tradition="t"), community=make_community(), basis=Basis.NONE, statement="s"
        )
    assert not GovernedItem.objects.exists()


def test_evidence_keeps_its_key(curator: Client) -> None:
    evidence = make_evidence(key="stable")
    page = reverse("admin:correlations_evidence_change", args=[evidence.pk])
    curator.post(page, form_data(curator.get(page)) | {"key": "other", "reference": "changed", "pmid": "123"})
    assert Evidence.objects.get(pk=evidence.pk).key == "stable"
    assert Evidence.objects.get(pk=evidence.pk).reference == "changed"


def test_a_quarantined_row_is_dismissed_with_a_reason_and_kept(curator: Client) -> None:
    row = make_quarantined_row()
    page = reverse("admin:correlations_quarantinedrow_dismiss", args=[row.pk])
    assert curator.post(page, {"reason": ""}).status_code == 422
    assert curator.post(page, {"reason": "a mock row"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.raw) == ("dismissed", '{"synthetic": true}')
    assert [event.reason for event in events("quarantine.dismissed")] == ["a mock row"]
    assert curator.post(page, {"reason": "once more"}).status_code == 403


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "NaN", '{"a": Infinity}'])
def test_a_replay_with_unreadable_json_is_answered_beside_the_field(curator: Client, text: str) -> None:
    row = make_quarantined_row()
    response = curator.post(
        reverse("admin:correlations_quarantinedrow_replay", args=[row.pk]),
        {"corrected": text, "reason": "typing error"},
    )
    assert response.status_code == 422
    assert response.context["form"].errors["corrected"]
    row.refresh_from_db()
    assert row.state == "open"


def test_the_replay_form_starts_from_the_row_as_it_was(curator: Client) -> None:
    row = make_quarantined_row(raw=json.dumps({"target": "<script>alert(1)</script>"}))
    page = curator.get(reverse("admin:correlations_quarantinedrow_replay", args=[row.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    shown = curator.get(reverse("admin:correlations_quarantinedrow_change", args=[row.pk])).content.decode()
    assert "<script>alert(1)" not in shown
