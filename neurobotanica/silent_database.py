"""Gives a database up that should have ended a statement itself and says nothing: frozen, or behind a dead network."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus

# Beyond the limit of a statement, which the server keeps while it lives.
_GRACE_SECONDS = 5.0


class _Session(psycopg.Connection[Any]):
    """Waits for an answer for so long and no longer."""

    silence_seconds: float

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, self.silence_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The answer may still come, and would be taken for that of the next statement.
                self.pgconn.finish()
            raise


def silence_limit(*, statement_seconds: float) -> None:
    """Let every session that Django opens in this process from now on end when the server no longer answers."""

    def limit(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        # Django has no setting for the class of a session.
        connection.connection.__class__ = _Session
        connection.connection.silence_seconds = statement_seconds + _GRACE_SECONDS

    if statement_seconds > 0:
        connection_created.connect(limit, weak=False, dispatch_uid="silence limit")
