"""The one door into the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from ethics.audit.context import AuditContext, current_context
from ethics.audit.identities import commit
from ethics.audit.insertion import insert_event
from ethics.audit.registry import EventType, registered_event_types
from ethics.models import AuditEvent, AuditReason
from ethics.policy import Purpose

# Beyond it the canonical form of RFC 8785, which knows IEEE 754 doubles only, is another text.
_LARGEST_INTEGER = 2**53 - 1

DetailValue = str | int | bool | None | list[str]


class AuditEventError(ValueError):
    """The event is of an unknown type, incomplete, or holds what an event may not hold."""


def record(
    event_type: str,
    *,
    subjects: Iterable[object] = (),
    communities: Iterable[str] = (),
    purpose: Purpose | None = None,
    model_sha256: str = "",
    reason: str = "",
    details: Mapping[str, DetailValue] | None = None,
    context: AuditContext | None = None,
    policy_revision: int | None = None,
) -> AuditEvent:
    """Append an event in the caller's transaction: it exists exactly when the caller's change does.

    Events hold identifiers, counts and hashes, never content; commitments stand for the actor's name and the reason.
    ``subjects`` are public ids or slugs, ``communities`` are community slugs. An event that needs a reason takes the one of
    the context where none is given.

    Raises:
        AuditEventError: unknown type, a required part is missing, an undeclared detail, or a value of another kind.
    """
    kind = registered_event_types().get(event_type)
    if kind is None:
        raise AuditEventError(f"event type {event_type!r} is not registered")
    context = context or current_context()
    if kind.needs_reason:
        reason = reason or context.reason or current_context().reason
    fields = {
        "event_id": str(uuid.uuid4()),
        "event_type": event_type,
        "occurred_at": timezone.now().isoformat(timespec="microseconds"),
        "purpose": purpose.value if purpose else "",
        "model_sha256": model_sha256,
        "subject_ids": [str(subject) for subject in subjects],
        "community_ids": sorted(set(communities)),
        "reason": reason,
        "details": dict(details or {}),
    }
    _check_complete(kind, fields)
    salt, fields["reason"] = commit(reason) if reason else (b"", "")
    fields |= {
        "actor_role": context.actor_role,
        "client_id": context.client_id,
        "request_id": context.request_id,
    }
    if not reason:
        return insert_event(fields, actor_name=context.actor_name, policy_revision=policy_revision)
    # Both or none, also for a caller without a transaction: a commitment whose text never was can't be told from a loss.
    with transaction.atomic():
        event = insert_event(fields, actor_name=context.actor_name, policy_revision=policy_revision)
        AuditReason.objects.create(event=event, salt=salt, text=reason)
    return event


def _check_complete(kind: EventType, fields: Mapping[str, object]) -> None:
    required = {
        "subject_ids": kind.needs_subjects,
        "community_ids": kind.needs_communities,
        "purpose": kind.needs_purpose,
        "model_sha256": kind.needs_model,
        "reason": kind.needs_reason,
    }
    missing = [name for name, needed in required.items() if needed and not fields[name]]
    details = fields["details"]
    assert isinstance(details, dict)  # noqa: S101  built above
    missing += sorted(kind.details - details.keys())
    if missing:
        raise AuditEventError(f"{kind.name} is incomplete: {', '.join(missing)} missing")
    unknown = sorted(details.keys() - kind.details)
    if unknown:
        raise AuditEventError(f"{kind.name} does not declare: {', '.join(unknown)}")
    for name, value in details.items():
        if not name.isascii() or not _is_detail(value):
            raise AuditEventError(f"{kind.name}: detail {name!r} must be a text, integer, boolean, null or texts")


def _is_detail(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(entry, str) for entry in value)
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        return False
    return value is None or isinstance(value, str | int | bool)
