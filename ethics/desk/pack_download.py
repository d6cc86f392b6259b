"""The evidence pack of what is filtered, made on demand; large ones are made by command."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

from ethics.audit import current_context
from ethics.audit.filters import AuditFilters
from ethics.audit.pack import PackError, evidence_pack_write
from ethics.desk.event_pages import counted
from ethics.models import AuditEvent

MOST_EVENTS = 10_000


def pack_open(filters: AuditFilters) -> IO[bytes]:
    """A pack with the sealed events that pass the filters, open for reading; it leaves no file behind when closed.

    Raises:
        PackError: too many events for a request, or whatever keeps a pack from being written.
    """
    _, is_more = counted(filters.apply(AuditEvent.objects.all()), MOST_EVENTS)
    if is_more:
        raise PackError(
            f"More than {MOST_EVENTS:,} events: narrow the filters, or ask for manage.py export_evidence_pack."
        )
    with tempfile.TemporaryDirectory() as folder:
        pack = evidence_pack_write(
            filters=filters, destination=Path(folder) / "pack.zip", requested_by=current_context()
        )
        return pack.path.open("rb")
