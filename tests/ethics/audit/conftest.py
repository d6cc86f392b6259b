"""A sealed log of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from tests.ethics.audit.sealed_log import SealedLog, seal


@pytest.fixture
def log_folder(artefacts, settings) -> Path:
    """Keys, heads file and archive of this test."""
    return Path(settings.AUDIT_FOLDER)


@pytest.fixture
def sealed_log(django_db_setup, django_db_blocker, log_folder) -> Iterator[SealedLog]:
    """Ten events under three heads, and the rights of the database's owner; nothing of it is committed."""
    with django_db_blocker.unblock(), transaction.atomic():
        seal()
        yield SealedLog()
        transaction.set_rollback(True)
