"""How the log stands: how much is sealed, how far sealing lags behind, and what the last check found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Min, OuterRef
from django.utils import timezone

from ethics.models import AuditEvent, AuditHead, AuditLeaf, AuditVerification


@dataclass(frozen=True)
class LogState:
    """``lag_seconds`` is the age of the oldest event without a leaf, 0 where all have theirs.

    ``last_verified`` is the newest check that found nothing wrong, ``last_check`` the newest one whatever it found.
    """

    tree_size: int
    last_sealed_at: datetime | None
    unsealed: int
    lag_seconds: float
    last_verified: AuditVerification | None
    last_check: AuditVerification | None

    @property
    def problem(self) -> str:
        """What the newest check found; empty where it found nothing."""
        return self.last_check.problem if self.last_check else ""


def log_state() -> LogState:
    """The state now, in four queries whose cost does not grow with the log."""
    head = AuditHead.objects.first()
    waiting = AuditEvent.objects.filter(
        ~Exists(AuditLeaf.objects.filter(event_id=OuterRef("event_id"))),
        xid__gte=head.sealed_below if head else 0,
    ).aggregate(count=Count("pk"), oldest=Min("occurred_at"))
    return LogState(
        tree_size=head.tree_size if head else 0,
        last_sealed_at=head.signed_at if head else None,
        unsealed=waiting["count"],
        lag_seconds=max(0.0, (timezone.now() - waiting["oldest"]).total_seconds()) if waiting["oldest"] else 0.0,
        last_verified=AuditVerification.objects.filter(ok=True).first(),
        last_check=AuditVerification.objects.first(),
    )
