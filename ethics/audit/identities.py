"""Salted commitments: how the log names people and reasons without holding their names and words."""

from __future__ import annotations

import secrets
from hashlib import sha256

from ethics.models import AuditIdentity
from ethics.models.audit_personal import SALT_BYTES


def commitment_of(salt: bytes, text: str) -> str:
    """SHA-256(salt || UTF-8 text), in hex. Who holds salt and text can show that the log means them; nobody else can."""
    return sha256(salt + text.encode()).hexdigest()


def commit(text: str) -> tuple[bytes, str]:
    """A fresh salt, and the commitment to the text under it."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt, commitment_of(salt, text)


def identity_commitment(name: str) -> str:
    """The commitment under which the log knows an actor; made at the first use, in the caller's transaction.

    Somebody whose name was shredded gets a new one, which nobody can connect with the old.
    """
    known = AuditIdentity.objects.filter(name=name).values_list("commitment", flat=True)
    found = known.first()
    if found is None:
        salt, commitment = commit(name)
        # Another transaction may make it at the same time: this one waits for it and takes the other's row.
        AuditIdentity.objects.bulk_create(
            [AuditIdentity(commitment=commitment, salt=salt, name=name)], ignore_conflicts=True
        )
        found = known.get()
    return str(found)
