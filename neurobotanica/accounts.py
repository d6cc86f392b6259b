"""Services over people's accounts: the row and its audit event in one transaction."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.db import transaction

from ethics import audit


@transaction.atomic
def account_save(*, user: User, changed_fields: Collection[str], created: bool) -> None:
    """Save an account. The event names the fields, never their values."""
    user.save()
    _record(user, "added" if created else "changed", changed_fields)


@transaction.atomic
def account_set_roles(*, user: User, roles: Collection[Group]) -> bool:
    """Give an account exactly these roles; True where that changed anything."""
    before = set(user.groups.values_list("pk", flat=True))
    if before == {role.pk for role in roles}:
        return False
    user.groups.set(roles)
    _record(user, "changed", [f"role {role.name}" for role in roles] or ["no role"])
    return True


def account_record_password(*, user: User) -> None:
    """Record that somebody set the password of an account. The caller has written it in the same transaction."""
    _record(user, "changed", ["password"])


def _record(user: User, action: str, fields: Collection[str]) -> None:
    audit.record("account.changed", subjects=[f"user:{user.pk}"], details={"action": action, "fields": sorted(fields)})
