"""Names and reasons stand outside the canonical text and can be destroyed; the log does not change by it."""

from __future__ import annotations

from hashlib import sha256

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from ethics import audit
from ethics.audit import AuditContext
from ethics.audit.shredding import identity_shred, reason_shred
from ethics.models import AuditEvent, AuditIdentity, AuditReason
from ethics.models.audit_personal import SHREDDED

pytestmark = pytest.mark.django_db
PERSON = AuditContext("mira synthetic", "curator", request_id="request-1")


def record(reason: str = "a synthetic reason", context: AuditContext = PERSON) -> AuditEvent:
    audit.record("consent.withdrawn", subjects=["a"], communities=["b"], reason=reason, context=context)
    return AuditEvent.objects.filter(event_type="consent.withdrawn").latest("pk")


def test_neither_name_nor_reason_stands_in_what_is_hashed() -> None:
    event = record()
    assert (event.actor_name, event.reason) == (PERSON.actor_name, "a synthetic reason")
    assert PERSON.actor_name not in event.canonical
    assert "synthetic" not in event.canonical


def test_who_holds_salt_and_text_can_open_the_commitments() -> None:
    event = record()
    identity, reason = AuditIdentity.objects.get(pk=event.actor_id), event.reason_record
    assert identity.salt
    assert reason.salt
    assert event.actor_id == sha256(bytes(identity.salt) + identity.name.encode()).hexdigest()
    assert event.reason_commitment == sha256(bytes(reason.salt) + reason.text.encode()).hexdigest()


def test_an_actor_has_one_commitment_and_a_reason_one_an_event() -> None:
    first, second = record(), record()
    assert first.actor_id == second.actor_id
    assert first.reason_commitment != second.reason_commitment


def test_a_shredded_name_is_gone_from_every_event_and_no_event_changes() -> None:
    events = [record(), record()]
    identity = AuditIdentity.objects.get(name=PERSON.actor_name)
    identity_shred(identity=identity, reason="asked by the person")
    identity.refresh_from_db()
    assert (identity.name, identity.salt) == ("", None)
    for event in events:
        kept = AuditEvent.objects.get(pk=event.pk)
        assert (kept.actor_name, kept.canonical, kept.actor_id) == (SHREDDED, event.canonical, event.actor_id)


def test_who_acts_again_after_shredding_is_somebody_else_to_the_log() -> None:
    before = record()
    identity_shred(identity=before.actor, reason="asked by the person")
    after = record()
    assert after.actor_id != before.actor_id
    assert after.actor_name == PERSON.actor_name


def test_a_shredded_reason_is_gone_and_its_event_stays() -> None:
    event, other = record(), record()
    reason_shred(event=event, reason="named a third person")
    kept = AuditReason.objects.get(event=event)
    assert (kept.text, kept.salt) == ("", None)
    again = AuditEvent.objects.get(pk=event.pk)
    assert (again.reason, again.canonical) == (SHREDDED, event.canonical)
    assert AuditEvent.objects.get(pk=other.pk).reason == "a synthetic reason"


def test_shredding_is_itself_an_event_with_its_reason() -> None:
    event = record()
    reason_shred(event=event, reason="named a third person")
    identity_shred(identity=event.actor, reason="asked by the person")
    told = AuditEvent.objects.filter(event_type__endswith=".shredded").order_by("pk")
    assert [(entry.event_type, entry.subject_ids, entry.reason) for entry in told] == [
        ("reason.shredded", [str(event.event_id)], "named a third person"),
        ("identity.shredded", [event.actor_id], "asked by the person"),
    ]


def test_what_is_shredded_cannot_be_shredded_again() -> None:
    event = record()
    reason_shred(event=event, reason="named a third person")
    identity_shred(identity=event.actor, reason="asked by the person")
    count = AuditEvent.objects.count()
    with pytest.raises(ValidationError, match="no text"):
        reason_shred(event=event, reason="again")
    with pytest.raises(ValidationError, match="destroyed already"):
        identity_shred(identity=event.actor, reason="again")
    assert AuditEvent.objects.count() == count


def test_shredding_without_a_reason_is_refused() -> None:
    event = record()
    with pytest.raises(ValidationError, match="Say why"):
        identity_shred(identity=event.actor, reason="  ")
    with pytest.raises(ValidationError, match="Say why"):
        reason_shred(event=event, reason="")
    assert AuditIdentity.objects.get(pk=event.actor_id).name == PERSON.actor_name


def test_an_event_without_a_reason_has_nothing_to_shred() -> None:
    audit.record("sacred.viewed", subjects=["a"], communities=["b"])
    with pytest.raises(ValidationError, match="no text"):
        reason_shred(event=AuditEvent.objects.get(), reason="asked")


def test_a_list_of_events_reads_people_and_reasons_in_one_query(django_assert_num_queries) -> None:
    for number in range(3):
        record(context=AuditContext(f"person {number}", "curator"))
    with django_assert_num_queries(1):
        assert {(event.actor_name, event.reason) for event in AuditEvent.objects.with_people()} == {
            (f"person {number}", "a synthetic reason") for number in range(3)
        }


def test_the_command_destroys_a_name_or_a_reason() -> None:
    event = record()
    call_command("shred_audit_text", "--reason-of", str(event.event_id), "--reason", "named a third person")
    call_command("shred_audit_text", "--actor", PERSON.actor_name, "--reason", "asked by the person")
    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.actor_name, kept.reason, kept.canonical) == (SHREDDED, SHREDDED, event.canonical)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (["--actor", "nobody known"], "no actor of that name"),
        (["--actor", ""], "no actor of that name"),
        (["--reason-of", "00000000-0000-4000-8000-000000000000"], "no such event"),
        (["--actor", PERSON.actor_name, "--reason", " "], "Say why"),
    ],
)
def test_the_command_names_what_is_wrong(what: list[str], told: str) -> None:
    event = record()
    with pytest.raises(CommandError, match=told):
        call_command("shred_audit_text", "--reason", "asked", *what)
    assert AuditEvent.objects.get(pk=event.pk).actor_name == PERSON.actor_name
