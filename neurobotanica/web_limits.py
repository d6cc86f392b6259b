"""How long a web process waits for the database, so that a database that hangs does not take all its threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A peer that vanished without a word is noticed within about a minute, also by a session that only listens.
_TCP = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}


@dataclass(frozen=True)
class WebLimits:
    """Seconds; 0 waits without end."""

    connect_seconds: int
    statement_seconds: float
    lock_seconds: float

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Options of the database connection with these limits; what the address of the database says goes before."""
        limits = (
            f"-c statement_timeout={_milliseconds(self.statement_seconds)} "
            f"-c lock_timeout={_milliseconds(self.lock_seconds)}"
        )
        connect = {"connect_timeout": self.connect_seconds} if self.connect_seconds else {}
        # Of two values for one setting the server takes the later.
        return {**_TCP, **connect, **given, "options": f"{limits} {given.get('options', '')}".strip()}


def _milliseconds(seconds: float) -> int:
    """Rounded up to 1 where it is not 0, which would mean no limit."""
    return max(1, round(seconds * 1000)) if seconds > 0 else 0
