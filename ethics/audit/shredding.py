"""Destroying personal data of the log: the name or the reason goes with its salt, and the log still verifies.

The field history that carries the same name or reason loses it too; what was changed stays.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, JSONField, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone
from pghistory.models import Context

from ethics.audit.recording import record
from ethics.models import AuditEvent, AuditIdentity, AuditReason


@transaction.atomic
def identity_shred(*, identity: AuditIdentity, reason: str) -> None:
    """Destroy the name behind a commitment, in every event at once. It can't be taken back.

    Raises:
        ValidationError: the name is destroyed already, or no reason is given.
    """
    locked = AuditIdentity.objects.select_for_update().get(pk=identity.pk)
    if locked.shredded_at is not None:
        raise ValidationError("This name is destroyed already.")
    _check_reason(reason)
    record("identity.shredded", subjects=[locked.commitment], reason=reason)
    AuditIdentity.objects.filter(pk=locked.pk).update(name="", salt=None, shredded_at=timezone.now())
    _empty_in_history("actor", actor=locked.name)


@transaction.atomic
def reason_shred(*, event: AuditEvent, reason: str) -> None:
    """Destroy the text of the reason that an event gives. It can't be taken back.

    Raises:
        ValidationError: the event gives no reason, its text is destroyed already, or no reason is given.
    """
    locked = AuditReason.objects.select_for_update().filter(event=event).first()
    if locked is None or locked.shredded_at is not None:
        raise ValidationError("This event holds no text that could be destroyed.")
    _check_reason(reason)
    record("reason.shredded", subjects=[event.event_id], reason=reason)
    AuditReason.objects.filter(pk=locked.pk).update(text="", salt=None, shredded_at=timezone.now())
    _empty_in_history("reason", reason=locked.text, request_id=event.request_id)


def _empty_in_history(key: str, **values: str) -> None:
    """Empty a text in the contexts of field history whose metadata hold these values."""
    texts = {name: KeyTextTransform(name, "metadata") for name in values}
    contexts = Context.objects.alias(**{f"of_{name}": text for name, text in texts.items()})
    emptied = CombinedExpression(F("metadata"), "||", Value({key: ""}, JSONField()))
    contexts.filter(**{f"of_{name}": value for name, value in values.items()}).update(metadata=emptied)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": "Say why: the log keeps the reason in place of what is destroyed."})
