"""The names of the roles, and which a person holds. What each role may do stands in ``neurobotanica.roles``."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

CURATOR = "curator"
COMPLIANCE_OFFICER = "compliance officer"
COMMUNITY_STEWARD = "community steward"
ML_ENGINEER = "ML engineer"


def role_names(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The roles (groups) of a person, read once a request."""
    known: frozenset[str] | None = getattr(user, "_role_names", None)
    if known is None:
        known = frozenset(user.groups.values_list("name", flat=True))  # type: ignore[union-attr]
        user._role_names = known  # type: ignore[union-attr]
    return known
