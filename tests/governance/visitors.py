"""Who visits the platform, and what of a practice out of use each may see in the admin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client

from ethics.admin.visibility import COMMUNITY_STEWARD, COMPLIANCE_OFFICER, CURATOR, ML_ENGINEER, WITHHELD_READERS
from ethics.clients import api_key_create, client_create
from ethics.policy import Audience
from tests.admin_people import make_person
from tests.factories import make_community
from tests.governance.canaries import OPEN_TO_CURATION, Canary

STAFF_ROLES = (CURATOR, ML_ENGINEER, COMPLIANCE_OFFICER, COMMUNITY_STEWARD)
_GOVERNANCE_MODELS = ("GovernedItem.", "Attribution.", "Consent.")


@dataclass(frozen=True)
class Visitor:
    """A kind of visitor: how the client is prepared, and the canaries that may be read."""

    name: str
    prepare: Callable[[Client], None]
    may_read: Callable[[Canary], bool]

    def __str__(self) -> str:
        return self.name


def _nothing(canary: Canary) -> bool:
    return False


def _as_curator(canary: Canary) -> bool:
    """What is out of use but open to curation, except consents and protected names."""
    closed = canary.field in {"GovernedItem.protected_names"} or canary.field.startswith("Consent.")
    return canary.kind in OPEN_TO_CURATION and not closed


def _as_steward(canary: Canary) -> bool:
    """The governance of all items. Of sacred ones the protected names alone."""
    if canary.kind == "sacred":
        return canary.field == "GovernedItem.protected_names"
    return canary.kind in OPEN_TO_CURATION or canary.field.startswith(_GOVERNANCE_MODELS)


def _as_superuser(canary: Canary) -> bool:
    """As a curator, and the consents themselves, which are papers about knowledge and hold none."""
    return _as_curator(canary) or canary.field.startswith("Consent.")


def _login_as(role: str) -> Callable[[Client], None]:
    return lambda client: client.force_login(make_person(role))


def _login_as_steward_of_another_community(client: Client) -> None:
    client.force_login(make_person(COMMUNITY_STEWARD, communities=[make_community()]))


def _login_without_role(client: Client) -> None:
    client.force_login(User.objects.create_user("staff-without-role", is_staff=True))


def _login_as_superuser(client: Client) -> None:
    client.force_login(User.objects.create_superuser("superuser-without-role"))


def _with_key(audience: Audience) -> Callable[[Client], None]:
    def prepare(client: Client) -> None:
        record = client_create(organisation=f"Synthetic {audience.value}", audience=audience)
        _, key = api_key_create(client=record, name="test")
        client.defaults["HTTP_AUTHORIZATION"] = f"Api-Key {key}"

    return prepare


VISITORS = [
    Visitor("nobody", lambda client: None, _nothing),
    Visitor("staff without a role", _login_without_role, _nothing),
    Visitor("superuser without a role", _login_as_superuser, _as_superuser),
    *(Visitor(role, _login_as(role), _as_steward if role in WITHHELD_READERS else _as_curator) for role in STAFF_ROLES),
    Visitor("steward of another community", _login_as_steward_of_another_community, _nothing),
    *(
        Visitor(f"{audience.value} key", _with_key(audience), _nothing)
        for audience in (Audience.RESEARCH, Audience.COMMERCIAL, Audience.COMMUNITY)
    ),
]
