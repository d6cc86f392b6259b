"""Asking the default queue to process withdrawals. A lost message loses nothing: the beat asks again."""

from __future__ import annotations

import logging
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

logger = logging.getLogger(__name__)

# A process that is at work may have begun before this commit: the task waits so long for it instead of leaving.
PATIENCE_SECONDS = 30.0


def process_withdrawals_on_commit(public_ids: Collection[UUID]) -> None:
    """Reaction: once the decision is committed, its case is processed without waiting for the beat."""
    transaction.on_commit(withdrawals_enqueue)


def withdrawals_enqueue() -> None:
    """Put the processing of open cases into the default queue."""
    from genomepath.housekeeping import process_withdrawals

    try:
        process_withdrawals.delay(PATIENCE_SECONDS)
    except BrokerError:  # the case is committed and waits; the beat processes it when the broker is back
        logger.exception("the processing of withdrawals could not be queued now")
