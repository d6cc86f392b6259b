"""A thread that tells the database, several times within the limit, that this process still works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import InterfaceError, OperationalError, connection

from genomepath.runs import heartbeat_limit

logger = logging.getLogger(__name__)


@contextmanager
def heartbeat(beat: Callable[[], object], name: str) -> Iterator[None]:
    """Call ``beat`` again and again inside the block, whatever the work is busy with; the name goes to the log alone."""
    ended = Event()

    def work() -> None:
        while not ended.wait(heartbeat_limit().total_seconds() / 6):
            try:
                beat()
            except (OperationalError, InterfaceError):
                logger.exception("the heartbeat of %s could not be written", name)
                connection.close()
        connection.close()

    thread = Thread(target=work, name=f"heartbeat-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
