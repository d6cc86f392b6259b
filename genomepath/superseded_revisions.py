"""Since when what was read at an earlier revision of the catalogue is outdated, as one process can tell it."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import datetime

MOST_REVISIONS = 1024


class SupersededRevisions:
    """The revisions that this process has seen. The moment at which it last saw one as the present one is the earliest at
    which that one can have been superseded."""

    def __init__(self) -> None:
        self._present: int | None = None
        self._seen_at: datetime | None = None
        self._last_seen: OrderedDict[int, datetime] = OrderedDict()

    def see(self, revision: int, now: datetime) -> None:
        """Note that this is the present revision."""
        if revision != self._present:
            if self._present is not None and self._seen_at is not None:
                self._last_seen[self._present] = self._seen_at
                self._last_seen.move_to_end(self._present)
            self._present = revision
            while len(self._last_seen) > MOST_REVISIONS:
                self._last_seen.popitem(last=False)
        self._seen_at = now

    def seconds_outdated(self, revision: int, now: datetime) -> float:
        """So long at most what was read at this revision has been outdated; 0 for the present one, infinity if unknown."""
        if revision == self._present:
            return 0.0
        last_seen = self._last_seen.get(revision)
        return math.inf if last_seen is None else max(0.0, (now - last_seen).total_seconds())
