"""What a signed-in person may see of governed items in the admin."""

from __future__ import annotations

from ethics.acting import Person
from ethics.community_stewards import communities_of, is_confined
from ethics.models import GovernedItem
from ethics.policy import Audience, Purpose
from ethics.querysets import GovernedItemQuerySet
from ethics.roles import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER, role_names

WITHHELD_READERS = frozenset({COMPLIANCE_OFFICER, COMMUNITY_STEWARD})
CATALOGUE_READERS = frozenset({CURATOR, ML_ENGINEER})


def sees_withheld(user: Person) -> bool:
    """Whether the person may see that withheld and sacred items exist. A superuser needs the role as well."""
    return bool(role_names(user) & WITHHELD_READERS)


def curated_items(user: Person) -> GovernedItemQuerySet:
    """The items open to the platform's own work; for a steward without another role, those of the own communities."""
    items = GovernedItem.objects.permitted_for(Purpose.CURATION, Audience.PLATFORM)
    if is_confined(user) and not role_names(user) & CATALOGUE_READERS:
        return items.filter(community__in=communities_of(user))
    return items


def visible_items(user: Person) -> GovernedItemQuerySet:
    """All items of the communities for those who answer for them, the permitted ones for everybody else."""
    if sees_withheld(user):
        return GovernedItem.objects.filter(community__in=communities_of(user))
    return curated_items(user)


__all__ = [
    "CATALOGUE_READERS",
    "COMMUNITY_STEWARD",
    "COMPLIANCE_OFFICER",
    "CURATOR",
    "ML_ENGINEER",
    "WITHHELD_READERS",
    "Person",
    "communities_of",
    "curated_items",
    "is_confined",
    "role_names",
    "sees_withheld",
    "visible_items",
]
