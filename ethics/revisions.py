"""The revisions that a request reads before it believes anything cached."""

from __future__ import annotations

from dataclasses import dataclass

from ethics.models import PolicyRevision
from ethics.prepared import prepared_row

_REVISIONS = """
SELECT value, client_value, ({catalogue})::bigint, ({model})::text FROM ethics_policyrevision WHERE id = {singleton}
"""
_told_by = {"catalogue": "0", "model": "NULL"}


@dataclass(frozen=True)
class Revisions:
    """``policy`` rises with every change of governance, ``clients`` with every change of an API client or key.

    ``catalogue`` rises with every change of what is known of practices and targets. ``model`` tells the version in service
    from every other, and is None where there is none.
    """

    policy: int
    clients: int
    catalogue: int
    model: str | None


def model_is_told_by(query: str) -> None:
    """Have ``Revisions.model`` come from this query of at most one text; for the app that serves the models."""
    _told_by["model"] = query


def catalogue_is_told_by(query: str) -> None:
    """Have ``Revisions.catalogue`` come from this query of one number; for the app that has the catalogue."""
    _told_by["catalogue"] = query


def policy_hold() -> None:
    """Have every change of governance wait until the caller's transaction ends.

    Each of them raises the policy revision (by a trigger, raw SQL included), whose row is locked here. What the next
    statement of the transaction reads still holds when it is committed; only the clock goes on.
    """
    PolicyRevision.objects.select_for_update(no_key=True).get(pk=PolicyRevision.SINGLETON_ID)


def current_revisions() -> Revisions:
    """All of them as committed at this moment, in one query."""
    row = prepared_row(_REVISIONS.format(**_told_by, singleton=PolicyRevision.SINGLETON_ID), repeatable=True)
    if row is None:
        raise PolicyRevision.DoesNotExist
    return Revisions(*row)
