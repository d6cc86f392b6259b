"""What a signed-in person may see of governed items in the admin."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose
from ethics.querysets import GovernedItemQuerySet

CURATOR = "curator"
COMPLIANCE_OFFICER = "compliance officer"
COMMUNITY_STEWARD = "community steward"
ML_ENGINEER = "ML engineer"

WITHHELD_READERS = frozenset({COMPLIANCE_OFFICER, COMMUNITY_STEWARD})

Person = AbstractBaseUser | AnonymousUser


def role_names(user: Person) -> frozenset[str]:
    """The roles (groups) of a person, read once a request."""
    known: frozenset[str] | None = getattr(user, "_role_names", None)
    if known is None:
        known = frozenset(user.groups.values_list("name", flat=True))  # type: ignore[union-attr]
        user._role_names = known  # type: ignore[union-attr]
    return known


def sees_withheld(user: Person) -> bool:
    """Whether the person may see that withheld and sacred items exist. A superuser needs the role as well."""
    return bool(role_names(user) & WITHHELD_READERS)


def curated_items() -> GovernedItemQuerySet:
    """The items open to the platform's own work."""
    return GovernedItem.objects.permitted_for(Purpose.CURATION, Audience.PLATFORM)


def visible_items(user: Person) -> GovernedItemQuerySet:
    """All items for those who answer for them, the permitted ones for everybody else."""
    return GovernedItem.objects.all() if sees_withheld(user) else curated_items()
