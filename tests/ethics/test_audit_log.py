"""The audit log: typed and complete events, in the transaction of their change, that nobody can change afterwards."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client

from ethics import audit
from ethics.audit import AuditContext, AuditEventError, EventType, audit_context, register_event_type
from ethics.clients import client_create
from ethics.consent import consent_withdraw
from ethics.models import ApiClient, AuditEvent, Consent, PolicyRevision
from ethics.policy import Audience, ConsentState, Purpose
from tests.admin_people import make_consent
from tests.factories import make_item

pytestmark = [pytest.mark.django_db, pytest.mark.database_owner]
COMPLETE: dict[str, Any] = {
    "subjects": ["item-1", "item-2"],
    "communities": ["b", "a", "a"],
    "purpose": Purpose.PREDICTION,
    "model_sha256": "0" * 64,
    "details": {"direction": "tk_to_genomic", "count": 2},
}


@pytest.fixture
def event() -> AuditEvent:
    return audit.record("prediction.served", **COMPLETE)


def test_an_event_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(AuditEventError, match=r"'consent\.forgotten' is not registered"):
        audit.record("consent.forgotten", subjects=["a"])


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        ({"subjects": []}, "subject_ids"),
        ({"communities": []}, "community_ids"),
        ({"purpose": None}, "purpose"),
        ({"model_sha256": ""}, "model_sha256"),
        ({"details": {"direction": "tk_to_genomic"}}, "count"),
        ({"details": {}}, "count, direction"),
    ],
)
def test_an_incomplete_event_is_refused_and_the_missing_part_named(left_out: dict, named: str) -> None:
    with pytest.raises(AuditEventError, match=f"incomplete: {named} missing"):
        audit.record("prediction.served", **{**COMPLETE, **left_out})
    assert not AuditEvent.objects.exists()


def test_an_event_that_needs_a_reason_is_refused_without() -> None:
    with audit_context(AuditContext("somebody")), pytest.raises(AuditEventError, match="reason missing"):
        audit.record("consent.withdrawn", subjects=["a"], communities=["b"])


def test_a_detail_that_the_type_does_not_declare_is_refused() -> None:
    details = {**COMPLETE["details"], "title": "a practice"}
    with pytest.raises(AuditEventError, match="does not declare: title"):
        audit.record("prediction.served", **{**COMPLETE, "details": details})


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), {"a": 1}, ["a", 1], [["a"]], b"bytes", datetime(2026, 1, 1), 2**53, -(2**53)], ids=repr
)
def test_a_detail_of_another_kind_is_refused(value: object) -> None:
    details = {"direction": "tk_to_genomic", "count": value}
    with pytest.raises(AuditEventError, match="detail 'count'"):
        audit.record("prediction.served", **{**COMPLETE, "details": details})
    assert not AuditEvent.objects.exists()


def test_a_name_cannot_be_registered_twice_with_different_meanings() -> None:
    with pytest.raises(ValueError, match="registered already"):
        register_event_type(EventType("consent.withdrawn", "Something else"))


@pytest.mark.parametrize("name", ["consent", "Consent.withdrawn", "consent.", "consent withdrawn", ""])
def test_an_event_name_is_dotted_and_in_small_letters(name: str) -> None:
    with pytest.raises(ValueError, match="dotted lower case"):
        register_event_type(EventType(name, "meaning"))


STATEMENTS = {
    "UPDATE": "UPDATE ethics_auditevent SET purpose = 'changed'",
    "UPDATE of no row": "UPDATE ethics_auditevent SET purpose = 'changed' WHERE false",
    "DELETE": "DELETE FROM ethics_auditevent",
    "TRUNCATE": "TRUNCATE ethics_auditevent",
    "TRUNCATE CASCADE": "TRUNCATE ethics_auditevent RESTART IDENTITY CASCADE",
    "upsert": (
        "INSERT INTO ethics_auditevent SELECT * FROM ethics_auditevent"
        " ON CONFLICT (event_id) DO UPDATE SET purpose = 'changed'"
    ),
    "MERGE": (
        "MERGE INTO ethics_auditevent kept USING (SELECT 1) source ON true"
        " WHEN MATCHED THEN UPDATE SET purpose = 'changed'"
    ),
    "UPDATE in a CTE": "WITH changed AS (UPDATE ethics_auditevent SET purpose = 'changed' RETURNING 1) SELECT 1",
    "DELETE in a CTE": "WITH gone AS (DELETE FROM ethics_auditevent RETURNING 1) SELECT 1",
}


def _is_unchanged(event: AuditEvent) -> bool:
    kept = AuditEvent.objects.get()
    return all(getattr(kept, field.attname) == getattr(event, field.attname) for field in AuditEvent._meta.fields)


@pytest.mark.database_owner
@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_refuses_to_change_the_log_in_raw_sql(statement: str, event: AuditEvent) -> None:
    event.refresh_from_db()
    with (
        pytest.raises(DatabaseError, match=r"append-only: (UPDATE|DELETE|TRUNCATE) refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(STATEMENTS[statement])
    assert _is_unchanged(event)


@pytest.mark.database_owner
@pytest.mark.parametrize(
    "change",
    [
        lambda event: AuditEvent.objects.update(purpose="changed"),
        lambda event: AuditEvent.objects.all().delete(),
        lambda event: AuditEvent.objects.bulk_update([event], ["purpose"]),
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: AuditEvent.objects.update_or_create(event_id=event.event_id, defaults={"purpose": "changed"}),
    ],
    ids=["update", "delete", "bulk_update", "save", "delete one", "update_or_create"],
)
def test_the_orm_cannot_change_the_log(change, event: AuditEvent) -> None:
    event.refresh_from_db()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change(event)
    assert _is_unchanged(event)


@pytest.mark.database_owner
def test_the_refusals_hold_for_the_owner_of_the_log(event: AuditEvent) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE relname = 'ethics_auditevent'"
        )
        assert cursor.fetchone() == (True,)  # the refusals above are the triggers', not a missing right's


def test_event_and_change_are_rolled_back_together() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        client_create(organisation="Synthetic", audience=Audience.RESEARCH)
        raise RuntimeError
    assert not AuditEvent.objects.exists()
    assert not ApiClient.objects.exists()


@pytest.mark.database_owner
def test_a_change_whose_event_cannot_be_written_does_not_happen() -> None:
    consent = make_consent(make_item())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ethics_auditevent ADD CHECK (event_type <> 'consent.withdrawn') NOT VALID")
    with pytest.raises(DatabaseError), transaction.atomic():
        consent_withdraw(consent=consent, reason="the community decided so")
    assert Consent.objects.get().state == ConsentState.GRANTED


def test_a_refused_service_leaves_no_event() -> None:
    client_create(organisation="Synthetic", audience=Audience.RESEARCH)
    with pytest.raises(ValidationError):
        client_create(organisation="Synthetic", audience=Audience.RESEARCH)
    assert AuditEvent.objects.count() == 1


def test_canonical_text_says_what_the_columns_say() -> None:
    context = AuditContext("Zoë \U0001f33f", "curator", "client-1", "request-1")
    reason = 'quoted "reason"\n\u2028 with \x7f and ünïcode'
    written = audit.record(
        "consent.withdrawn", subjects=["b", "a"], communities=["z", "y"], reason=reason, context=context
    )
    kept = AuditEvent.objects.get()
    parsed = json.loads(kept.canonical)
    occurred_at = datetime.fromisoformat(parsed.pop("occurred_at"))
    assert occurred_at == kept.occurred_at
    assert parsed.pop("event_id") == str(kept.event_id) == str(written.event_id)
    columns = {"actor": "actor_id", "reason": "reason_commitment"}
    assert parsed == {name: getattr(kept, columns.get(name, name)) for name in parsed}
    assert {columns.get(name, name) for name in parsed} | {"id", "canonical", "event_id", "occurred_at", "xid"} == {
        field.attname for field in AuditEvent._meta.fields
    }


def test_canonical_text_is_in_canonical_form(event: AuditEvent) -> None:
    text = event.canonical
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert '"community_ids":["a","b"]' in text


def test_an_event_names_the_policy_revision_under_which_it_happened() -> None:
    consent_withdraw(consent=make_consent(make_item()), reason="the community decided so")
    assert AuditEvent.objects.get(event_type="consent.withdrawn").policy_revision == PolicyRevision.current()


def test_an_event_names_who_acted() -> None:
    with audit_context(AuditContext("somebody", "community steward", request_id="request-7")):
        audit.record("prediction.served", **COMPLETE)
    event = AuditEvent.objects.get()
    assert (event.actor_name, event.actor_role, event.request_id) == ("somebody", "community steward", "request-7")


def test_without_a_context_the_system_acts(event: AuditEvent) -> None:
    assert (event.actor_name, event.actor_role) == ("system", "system")


def test_a_request_id_that_is_not_well_formed_is_replaced(client: Client) -> None:
    given = "request-0001"
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given
    assert len(client.get("/healthz", headers={"X-Request-ID": "a b\tc"})["X-Request-ID"]) == 32


def test_deleting_an_account_leaves_its_events() -> None:
    user = User.objects.create_user("leaver")
    with audit_context(AuditContext(user.get_username(), "curator")):
        audit.record("prediction.served", **COMPLETE)
    user.delete()
    assert AuditEvent.objects.get().actor_name == "leaver"


def test_deleting_a_client_leaves_its_events() -> None:
    client_create(organisation="Synthetic", audience=Audience.RESEARCH).delete()
    assert AuditEvent.objects.get().event_type == "client.created"


def test_an_event_never_tells_a_policy_revision_that_was_only_remembered() -> None:
    """The process remembers the revision; the insert itself proves that it still holds."""
    audit.record("prediction.served", **COMPLETE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ethics_policyrevision SET value = value + 7")
    event = audit.record("prediction.served", **COMPLETE)
    assert event.policy_revision == PolicyRevision.current()
    assert json.loads(event.canonical)["policy_revision"] == event.policy_revision


def test_a_revision_that_the_caller_gives_is_told_as_it_is() -> None:
    assert audit.record("prediction.served", policy_revision=3, **COMPLETE).policy_revision == 3


def test_an_actor_whose_first_event_was_taken_back_is_known_again_by_the_next() -> None:
    context = AuditContext("somebody new", "curator")
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("prediction.served", context=context, **COMPLETE)
        raise RuntimeError
    assert audit.record("prediction.served", context=context, **COMPLETE).actor_name == "somebody new"


def test_an_event_costs_one_statement_once_its_actor_is_known(django_assert_num_queries) -> None:
    for _ in range(2):
        audit.record("prediction.served", **COMPLETE)
    with django_assert_num_queries(1):
        audit.record("prediction.served", **COMPLETE)


def test_what_record_returns_is_what_the_database_holds() -> None:
    event = audit.record("prediction.served", **COMPLETE)
    assert _is_unchanged(event)
