"""Who acts for which community: appointing stewards, and holding them to their own communities.

A person whose only authority over governance is the role of a steward sees and decides over the communities that they were
appointed for. Pages hide the rest; the services ask here as well, so that no form or view can let a steward past.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from ethics import audit
from ethics.acting import Person, acting_person
from ethics.models import Community, CommunitySteward
from ethics.roles import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, role_names


def is_confined(person: Person) -> bool:
    """Whether the person answers for single communities only: a steward who is no officer."""
    roles = role_names(person)
    return COMMUNITY_STEWARD in roles and COMPLIANCE_OFFICER not in roles


def communities_of(person: Person) -> QuerySet[Community]:
    """The communities whose records the person may be shown: a steward's own, otherwise all."""
    if not is_confined(person):
        return Community.objects.all()
    return Community.objects.filter(stewards__user=person.pk)


def refuse_foreign_community(community_id: int) -> None:
    """Refuse what a steward does to another community's records.

    Raises:
        PermissionDenied: the acting person is a steward of other communities only.
    """
    person = acting_person()
    if person is not None and not communities_of(person).filter(pk=community_id).exists():
        raise PermissionDenied("A steward acts for their own communities alone.")


@transaction.atomic
def steward_appoint(*, user: User, community: Community, appointed_by: str) -> CommunitySteward:
    """Let a steward act for a community.

    Raises:
        ValidationError: the person does not hold the role, or acts for the community already.
    """
    if not user.groups.filter(name=COMMUNITY_STEWARD).exists():
        raise ValidationError({"user": f"Give this person the role '{COMMUNITY_STEWARD}' first."})
    steward = CommunitySteward(user=user, community=community, appointed_by=appointed_by)
    steward.full_clean()
    steward.save()
    _record("steward.appointed", steward)
    return steward


@transaction.atomic
def steward_dismiss(*, steward: CommunitySteward) -> None:
    """End that a steward acts for a community. It holds from the next request on."""
    _record("steward.dismissed", steward)
    steward.delete()


def _record(event_type: str, steward: CommunitySteward) -> None:
    audit.record(event_type, subjects=[f"user:{steward.user_id}"], communities=[steward.community.slug])
