"""The revisions that a request reads before it believes anything cached."""

from __future__ import annotations

from dataclasses import dataclass

from ethics.models import PolicyRevision
from ethics.prepared import prepared_row

_REVISIONS = """
SELECT value, client_value, ({model})::text FROM ethics_policyrevision WHERE id = {singleton}
"""
_statement = [_REVISIONS.format(model="NULL", singleton=PolicyRevision.SINGLETON_ID)]


@dataclass(frozen=True)
class Revisions:
    """``policy`` rises with every change of governance, ``clients`` with every change of an API client or key.

    ``model`` tells the version in service from every other, and is None where there is none.
    """

    policy: int
    clients: int
    model: str | None


def model_is_told_by(query: str) -> None:
    """Have ``Revisions.model`` come from this query of at most one text; for the app that serves the models."""
    _statement[0] = _REVISIONS.format(model=query, singleton=PolicyRevision.SINGLETON_ID)


def current_revisions() -> Revisions:
    """All of them as committed at this moment, in one query."""
    row = prepared_row(_statement[0], repeatable=True)
    if row is None:
        raise PolicyRevision.DoesNotExist
    return Revisions(*row)
