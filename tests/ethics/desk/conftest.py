"""An officer at the desk, and events of a kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from ethics import audit
from ethics.admin.visibility import COMPLIANCE_OFFICER
from ethics.audit import AuditContext
from ethics.models import AuditEvent
from ethics.policy import Purpose
from tests.admin_people import make_person

MODEL = "0" * 64


@pytest.fixture
def officer(db, client: Client) -> Client:
    """A browser in which an officer is signed in."""
    client.force_login(make_person(COMPLIANCE_OFFICER, username="olga"))
    return client


def _serve(subject: object, community: str, context: AuditContext | None = None) -> AuditEvent:
    return audit.record(
        "prediction.served",
        subjects=[subject],
        communities=[community],
        purpose=Purpose.PREDICTION,
        model_sha256=MODEL,
        details={"direction": "tk_to_genomic", "count": 1},
        context=context,
    )


@pytest.fixture
def serve(db) -> Callable[..., AuditEvent]:
    """Records an answer with knowledge of a community."""
    return _serve


@pytest.fixture
def serve_many() -> Callable[[int], list[AuditEvent]]:
    """Records so many answers in the database that is in use."""
    return lambda number: [_serve("item", "north") for _ in range(number)]


@pytest.fixture
def refuse(db) -> Callable[..., AuditEvent]:
    """Records a refused question for a practice, or a text that got no answer for some reasons."""

    def refuse_one(*subjects: object, reasons: list[str] | None = None, context: Any = None) -> AuditEvent:
        details = {"direction": "tk_to_genomic"} if reasons is None else {"reasons": reasons}
        return audit.record(
            "prediction.refused" if reasons is None else "text.withheld",
            subjects=subjects,
            purpose=Purpose.PREDICTION,
            model_sha256=MODEL,
            details=details,
            context=context,
        )

    return refuse_one
