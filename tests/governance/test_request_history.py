"""What a request changed, field by field, for those who read the log: the values that a person may see, and no others."""

from __future__ import annotations

import pghistory
import pytest
from django.apps import apps
from django.contrib.auth.models import User

from correlations.curation import curated_record_save
from correlations.models import Practice
from ethics import field_history as of_ethics
from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.audit import AuditContext, audit_context
from ethics.history import RecordChange, field_changes_of
from ethics.models import AuditEvent, GovernedItem
from ethics.policy import Basis, SacredStatus
from ethics.stewardship import item_record_objection, item_set_status
from tests.admin_people import make_person
from tests.factories import make_evidence, make_item, make_practice, make_target

pytestmark = pytest.mark.django_db
REQUEST = "request-history-1"


@pytest.fixture
def officer() -> User:
    return make_person(COMPLIANCE_OFFICER)


def in_request(request_id: str = REQUEST):
    return audit_context(AuditContext("mira", "curator", request_id=request_id, reason="asked by the council"))


def change_title(practice: Practice, title: str) -> None:
    practice.title = title
    curated_record_save(instance=practice, changed_fields=["title"], created=False)


def values(changes: list[RecordChange]) -> str:
    return repr([(change.fields, change.reason, change.record_key) for change in changes])


def test_the_change_of_a_request_says_who_what_before_and_after(officer) -> None:
    practice = make_practice(title="title before")
    with in_request():
        change_title(practice, "title after")

    (change,) = field_changes_of(REQUEST, officer)

    assert (change.record_type, change.kind, change.actor, change.role) == ("practice", "update", "mira", "curator")
    assert change.reason == "asked by the council"
    assert [(field.name, field.before, field.after) for field in change.fields] == [
        ("title", "title before", "title after")
    ]


def test_it_is_joined_to_the_audit_event_by_the_request(officer) -> None:
    practice = make_practice()
    with in_request():
        change_title(practice, "another title")

    event = AuditEvent.objects.get(event_type="curation.changed")

    assert [change.record_key for change in field_changes_of(event.request_id, officer)] == event.subject_ids


def test_the_changes_of_other_requests_and_of_none_stay_out(officer) -> None:
    practice = make_practice()
    with in_request("request-history-2"):
        change_title(practice, "another title")

    assert field_changes_of(REQUEST, officer) == field_changes_of("", officer) == []


def test_a_withheld_practice_shows_that_it_changed_and_nothing_else(officer) -> None:
    practice = make_practice(title="CANARY before")
    with in_request():
        change_title(practice, "CANARY after")
    with in_request("request-history-2"):
        item_record_objection(item=practice.item, reference="letter", reason="they object")

    (change,) = field_changes_of(REQUEST, officer)

    assert change.withheld
    assert "CANARY" not in values([change])


@pytest.mark.parametrize("also_cited_by_an_open_practice", [False, True])
def test_evidence_is_shown_as_long_as_an_open_practice_cites_it(officer, also_cited_by_an_open_practice: bool) -> None:
    withheld = make_practice()
    with in_request():
        evidence = make_evidence(reference="CANARY reference")
    withheld.sources.add(evidence)
    if also_cited_by_an_open_practice:
        make_practice().sources.add(evidence)
    item_record_objection(item=withheld.item, reference="letter", reason="they object")

    (change,) = field_changes_of(REQUEST, officer)

    assert change.withheld is not also_cited_by_an_open_practice
    assert ("CANARY" in values([change])) is also_cited_by_an_open_practice


def test_evidence_that_is_gone_keeps_its_former_values_withheld(officer) -> None:
    with in_request():
        make_evidence(reference="CANARY reference").delete()

    changes = field_changes_of(REQUEST, officer)

    assert [change.withheld for change in changes] == [True]
    assert "CANARY" not in values(changes)


def test_of_a_sacred_item_only_the_status_is_shown_whatever_it_said_before(officer) -> None:
    item = make_item(display_label="CANARY label", basis_source="CANARY source")
    with in_request():
        GovernedItem.objects.filter(pk=item.pk).update(display_label="CANARY renamed")
        item_set_status(item=item, status=SacredStatus.SACRED, protected_names=["CANARY name"])

    changes = field_changes_of(REQUEST, officer)

    assert "CANARY" not in values(changes)
    assert ("sacred status", "none", "sacred") in [
        (field.name, field.before, field.after) for change in changes for field in change.fields
    ]


def test_a_practice_that_moved_from_a_withheld_item_keeps_its_former_values_withheld(officer) -> None:
    closed = make_item(basis=Basis.NONE, basis_source="")
    practice = make_practice(item=closed, title="CANARY before")
    with in_request("request-history-2"):
        item_record_objection(item=closed, reference="letter", reason="they object")
    with in_request():
        Practice.objects.filter(pk=practice.pk).update(item=make_item(), title="open title")

    moved = [change for change in field_changes_of(REQUEST, officer) if change.record_type == "practice"]

    assert [change.withheld for change in moved] == [True]
    assert "CANARY" not in values(moved)


def test_a_request_that_changed_records_of_several_kinds_gives_them_all_in_as_few_queries(
    officer, django_assert_max_num_queries
) -> None:
    practice, target = make_practice(), make_target()
    with in_request():
        change_title(practice, "first")
        target.name = "second"
        curated_record_save(instance=target, changed_fields=["name"], created=False)
        change_title(practice, "third")

    with django_assert_max_num_queries(3):
        found = field_changes_of(REQUEST, officer)
    changes = [(change.record_type, change.fields[0].after) for change in found]
    assert sorted(changes) == [("genomic target", "second"), ("practice", "first"), ("practice", "third")]


def test_few_queries_answer_it(officer, django_assert_max_num_queries) -> None:
    practice = make_practice()
    with in_request():
        for number in range(20):
            change_title(practice, f"title {number}")

    with django_assert_max_num_queries(3):
        assert len(field_changes_of(REQUEST, officer)) == 20


def test_every_tracked_model_of_the_platform_is_declared() -> None:
    from correlations import field_history as of_correlations
    from genomepath import field_history as of_genomepath

    declared = {
        entry.model._meta.label for module in (of_ethics, of_correlations, of_genomepath) for entry in module.TRACKED
    }
    tracked = {
        model.pgh_tracked_model._meta.label  # type: ignore[attr-defined]
        for model in apps.get_models()
        if issubclass(model, pghistory.models.Event) and hasattr(model, "pgh_tracked_model")
    }

    assert declared == tracked
