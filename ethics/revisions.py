"""The revisions that a request reads before it believes anything cached."""

from __future__ import annotations

from dataclasses import dataclass

from ethics.models import PolicyRevision
from ethics.prepared import prepared_row

_REVISIONS = f"SELECT value, client_value FROM ethics_policyrevision WHERE id = {PolicyRevision.SINGLETON_ID}"  # noqa: S608


@dataclass(frozen=True)
class Revisions:
    """``policy`` rises with every change of governance, ``clients`` with every change of an API client or key."""

    policy: int
    clients: int


def current_revisions() -> Revisions:
    """Both revisions as committed at this moment, in one query."""
    row = prepared_row(_REVISIONS, repeatable=True)
    if row is None:
        raise PolicyRevision.DoesNotExist
    return Revisions(*row)
