"""The revisions that a request reads before it believes anything cached."""

from __future__ import annotations

from dataclasses import dataclass

from ethics.models import PolicyRevision


@dataclass(frozen=True)
class Revisions:
    """``policy`` rises with every change of governance, ``clients`` with every change of an API client or key."""

    policy: int
    clients: int


def current_revisions() -> Revisions:
    """Both revisions as committed at this moment, in one query."""
    policy, clients = PolicyRevision.objects.values_list("value", "client_value").get(pk=PolicyRevision.SINGLETON_ID)
    return Revisions(policy, clients)
