"""No governed field changes without a reason: not by a page, a bulk action, a service, a command or raw SQL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from pghistory.models import Context

from correlations import field_history as of_correlations
from correlations.curation import correlation_set_status, curated_record_save, practice_create
from correlations.models import Correlation, Practice
from correlations.vocabulary import ReviewStatus
from ethics import field_history as of_ethics
from ethics.admin.visibility import COMPLIANCE_OFFICER, CURATOR
from ethics.audit import AuditContext, audit_context, registered_event_types
from ethics.audit.shredding import identity_shred, reason_shred
from ethics.consent import consent_record, consent_withdraw
from ethics.history import field_changes_of
from ethics.models import AuditEvent, Community
from ethics.models.audit_personal import SHREDDED
from ethics.policy import Audience, Basis, ConsentState, Purpose, SacredStatus
from ethics.reasons import REASON_LENGTH, change_reason
from ethics.records import governance_record_save, governed_item_add
from ethics.stewardship import item_record_objection, item_set_status
from tests.admin_forms import form_data
from tests.admin_people import make_consent, make_person
from tests.factories import make_community, make_correlation, make_item, make_practice, make_target

pytestmark = pytest.mark.django_db

GOVERNED = [entry.model for module in (of_ethics, of_correlations) for entry in module.TRACKED]
NO_REASON = AuditContext("mira", "curator")


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("change", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
@pytest.mark.parametrize("model", GOVERNED, ids=lambda model: model._meta.label)
def test_raw_sql_needs_a_reason(model, change: str) -> None:
    statement = change.format(table=model._meta.db_table)

    with audit_context(NO_REASON), pytest.raises(DatabaseError, match="needs a reason"):
        run(statement)
    with change_reason("synthetic reason"):
        run(statement)


def test_the_setting_that_switches_library_triggers_off_does_not_reach_the_guard() -> None:
    with audit_context(NO_REASON), pytest.raises(DatabaseError, match="needs a reason"):
        run(
            "SET LOCAL pgtrigger.ignore = '{ethics_consent:change_needs_reason,change_needs_reason}';"
            " UPDATE ethics_consent SET id = id"
        )


def practice_of_nobody() -> Practice:
    return Practice(slug="new", title="new", tradition="new")


def consent_of(community: Community, reason: str = "") -> object:
    return consent_record(
        community=community,
        items=None,
        purposes=[Purpose.TRAINING],
        audiences=[Audience.PLATFORM],
        state=ConsentState.GRANTED,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        document_reference="letter",
        recorded_by="test",
        reason=reason,
    )


def status_of(correlation: Correlation, reason: str = "") -> object:
    return correlation_set_status(correlation=correlation, status=ReviewStatus.REVIEW, reason=reason)


SERVICES = {
    "record saved": lambda made: governance_record_save(instance=made.item.community, changed_fields=[], created=False),
    "item added": lambda made: governed_item_add(community=made.item.community),
    "status raised": lambda made: item_set_status(item=made.item, status=SacredStatus.RESTRICTED),
    "objection": lambda made: item_record_objection(item=made.item, reference="letter", reason=" "),
    "consent recorded": lambda made: consent_of(made.item.community),
    "consent withdrawn": lambda made: consent_withdraw(consent=made.item.consents.get(), reason=""),
    "practice added": lambda made: practice_create(
        practice=practice_of_nobody(), community=made.item.community, basis=Basis.NONE
    ),
    "practice saved": lambda made: curated_record_save(instance=made, changed_fields=[], created=False),
    "correlation reviewed": lambda made: status_of(made.correlations.get()),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_without_a_reason_is_refused_at_that_field_and_writes_nothing(service: str) -> None:
    practice = make_practice()
    make_correlation(practice, make_target())
    make_consent(practice.item)
    before = AuditEvent.objects.count()

    with audit_context(NO_REASON), pytest.raises(ValidationError) as refused:
        SERVICES[service](practice)

    assert list(refused.value.message_dict) == ["reason"]
    assert AuditEvent.objects.count() == before


def test_a_reason_that_the_log_could_not_keep_whole_is_refused() -> None:
    with pytest.raises(ValidationError, match="At most 300 characters"):
        consent_of(make_community(), reason="x" * (REASON_LENGTH + 1))


def test_two_changes_of_one_request_keep_a_reason_each() -> None:
    first, second = (make_correlation(make_practice(), make_target()) for _ in range(2))
    with audit_context(AuditContext("mira", "curator", request_id="request-of-two")):
        status_of(first, "the first reason")
        status_of(second, "the second reason")

    history = apps.get_model("correlations", "CorrelationEvent").objects.filter(pgh_label="update").order_by("pgh_id")
    assert [row.pgh_context.metadata["reason"] for row in history] == ["the first reason", "the second reason"]
    events = AuditEvent.objects.filter(event_type="correlation.reviewed").order_by("pk")
    assert [(event.reason, event.request_id) for event in events] == [
        ("the first reason", "request-of-two"),
        ("the second reason", "request-of-two"),
    ]


def test_every_event_that_records_a_change_of_governed_fields_needs_a_reason() -> None:
    changes = {
        "consent.recorded", "consent.withdrawn", "item.objected", "item.created", "item.status_changed",
        "item.lowering_proposed", "item.lowering_confirmed", "item.lowering_rejected", "curation.changed",
        "practice.created", "practice.updated", "correlation.reviewed", "catalogue.loaded", "import.completed",
        "quarantine.replayed", "quarantine.dismissed",
    }  # fmt: skip
    assert {name for name in changes if not registered_event_types()[name].needs_reason} == set()


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_person(CURATOR, "curator"))
    return client


def test_a_page_asks_for_the_reason_and_saves_nothing_without_it(curator: Client) -> None:
    practice = make_practice(region="before")
    page = reverse("admin:correlations_practice_change", args=[practice.pk])
    shown = curator.get(page)
    data = form_data(shown) | {"region": "after"}

    refused = curator.post(page, data | {"change_reason": " "})
    practice.refresh_from_db()

    assert "Reason for this change" in shown.content.decode()
    assert refused.context["adminform"].form.errors["change_reason"]
    assert '<a class="underline" href="#id_change_reason">say why</a>' in refused.content.decode()
    assert practice.region == "before"
    assert curator.post(page, data | {"change_reason": "a better source"}).status_code == 302
    assert {event.reason for event in AuditEvent.objects.filter(event_type="curation.changed")} == {"a better source"}
    history = curator.get(reverse("admin:correlations_practice_history", args=[practice.pk])).content.decode()
    assert "a better source" in history


def test_a_bulk_action_without_a_reason_changes_nothing(curator: Client) -> None:
    row = make_correlation(make_practice(), make_target(), status="draft")
    page = reverse("admin:correlations_correlation_changelist")

    answer = curator.post(page, {"action": "approve", "_selected_action": [row.pk]}, follow=True)

    row.refresh_from_db()
    assert row.status == "draft"
    assert "Reason for this change: write it beside the action" in answer.content.decode()


def test_a_record_is_deleted_with_a_reason_alone(curator: Client) -> None:
    indication = make_practice().practice_indications.get()
    page = reverse("admin:correlations_practiceindication_delete", args=[indication.pk])

    shown = curator.get(page).content.decode()
    curator.post(page, {"post": "yes"})
    kept = type(indication).objects.filter(pk=indication.pk).exists()
    curator.post(page, {"post": "yes", "change_reason": "entered twice"})

    assert 'name="change_reason"' in shown
    assert kept
    assert not type(indication).objects.filter(pk=indication.pk).exists()
    assert AuditEvent.objects.get(event_type="curation.changed").reason == "entered twice"


def test_records_are_deleted_in_bulk_with_a_reason_alone(curator: Client) -> None:
    indication = make_practice().practice_indications.get()
    page = reverse("admin:correlations_practiceindication_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [indication.pk]}

    shown = curator.post(page, chosen).content.decode()
    curator.post(page, chosen | {"post": "yes"})
    kept = type(indication).objects.filter(pk=indication.pk).exists()
    curator.post(page, chosen | {"post": "yes", "change_reason": "entered twice"})

    assert 'name="change_reason"' in shown
    assert kept
    assert not type(indication).objects.filter(pk=indication.pk).exists()


def test_what_only_looks_asks_for_no_reason(client: Client) -> None:
    client.force_login(make_person(COMPLIANCE_OFFICER))
    item = make_item()
    shown = client.get(reverse("admin:correlations_practice_change", args=[make_practice(item=item).pk]))

    assert "change_reason" not in shown.context["adminform"].form.fields


def contexts() -> list[dict]:
    return [context.metadata for context in Context.objects.order_by("created_at", "pk")]


def reviewed(request_id: str, reason: str) -> AuditEvent:
    row = make_correlation(make_practice(), make_target(), status="draft")
    with audit_context(AuditContext("mira", "curator", request_id=request_id)):
        status_of(row, reason)
    return AuditEvent.objects.filter(event_type="correlation.reviewed").latest("pk")


def test_a_reason_destroyed_in_the_log_is_gone_from_the_history_of_that_request_alone() -> None:
    event, other = reviewed("request-one", "a reason to forget"), reviewed("request-two", "a reason to forget")

    reason_shred(event=event, reason="asked by the person")

    kept = {context["request_id"]: context["reason"] for context in contexts() if context["actor"] == "mira"}
    assert kept == {"request-one": "", "request-two": other.reason}


def test_a_name_destroyed_in_the_log_is_gone_from_the_history_and_the_change_stays() -> None:
    event = reviewed("request-one", "a reason")

    identity_shred(identity=event.actor, reason="asked by the person")

    assert "mira" not in repr(contexts())
    (change,) = field_changes_of("request-one", make_person(COMPLIANCE_OFFICER))
    assert (change.actor, change.reason, change.fields[0].after) == (SHREDDED, "a reason", "review")


@pytest.mark.parametrize(
    "change",
    [
        'UPDATE pghistory_context SET metadata = metadata || \'{"reason": "another"}\'',
        'UPDATE pghistory_context SET metadata = metadata || \'{"actor": "another"}\'',
        'UPDATE pghistory_context SET metadata = metadata || \'{"request_id": ""}\'',
        "UPDATE pghistory_context SET metadata = metadata - 'reason'",
        "UPDATE pghistory_context SET metadata = '{}'",
        "UPDATE pghistory_context SET id = gen_random_uuid()",
        "DELETE FROM pghistory_context",
        "TRUNCATE pghistory_context CASCADE",
    ],
)
@pytest.mark.database_owner
def test_who_changed_what_and_why_is_never_rewritten(change: str) -> None:
    reviewed("request-one", "a reason")
    run("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match="append-only"):
        run(change)
