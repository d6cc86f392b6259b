"""Rendered answers that a process remembers, in front of Redis: nothing is asked for and no tag is checked.

It holds answers of one generation alone (the policy revision and model in service that a request has just read), so that the
first request after a withdrawal or a promotion empties it. An answer that an edit of the catalogue has outdated is still
given for a while, a minute at most; each is due to be rendered anew at another moment of it, so that no edit makes everybody
wait for all answers at once.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from genomepath.answer_cache import RenderedAnswer
from genomepath.superseded_revisions import SupersededRevisions
from genomepath.validity import CATALOGUE_SECONDS

MOST_BYTES = 4 * 2**20
_BYTES_BESIDE_THE_BODY = 1024
"""About what Python keeps of an answer's names and ids."""
LATEST_RENEWAL = CATALOGUE_SECONDS * 5 / 6
"""Seconds after an edit until which every outdated answer that is asked for falls due: so that it is there in time."""
_random = random.SystemRandom()


@dataclass(frozen=True)
class KnownAnswer:
    """An answer, and whether it is time to render it anew."""

    answer: RenderedAnswer
    is_due: bool


@dataclass(frozen=True)
class _Entry:
    answer: RenderedAnswer
    catalogue: int
    renewed_after: float


class AnswerMemory:
    """The answers asked for last, up to so many bytes; safe to share between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._generation: Hashable = None
        self._revisions = SupersededRevisions()
        self._answers: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._bytes = 0

    def get(self, generation: Hashable, key: Hashable, *, catalogue: int, now: datetime) -> KnownAnswer | None:
        """The answer kept under the key, if it may still be given at this revision of the catalogue. Answers of another
        generation are forgotten."""
        with self._lock:
            self._enter(generation)
            self._revisions.see(catalogue, now)
            entry = self._answers.get(key)
            if entry is None:
                return None
            outdated = self._revisions.seconds_outdated(entry.catalogue, now)
            if outdated >= CATALOGUE_SECONDS or not entry.answer.holds_at(now):
                self._forget(key)
                return None
            self._answers.move_to_end(key)
            return KnownAnswer(entry.answer, is_due=outdated > entry.renewed_after)

    def put(self, generation: Hashable, key: Hashable, answer: RenderedAnswer, *, catalogue: int) -> None:
        """Keep an answer rendered at this revision of the catalogue or a later one, unless its generation has passed
        meanwhile; those asked for longest ago make room."""
        if _size(answer) > self._most_bytes:
            return
        with self._lock:
            if generation != self._generation:
                return
            self._forget(key)
            self._answers[key] = _Entry(answer, catalogue, _random.uniform(0, LATEST_RENEWAL))
            self._bytes += _size(answer)
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._answers)))

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._enter(None)

    def __len__(self) -> int:
        return len(self._answers)

    def _enter(self, generation: Hashable) -> None:
        if generation != self._generation:
            self._generation = generation
            self._answers.clear()
            self._bytes = 0

    def _forget(self, key: Hashable) -> None:
        entry = self._answers.pop(key, None)
        if entry is not None:
            self._bytes -= _size(entry.answer)


def _size(answer: RenderedAnswer) -> int:
    return len(answer.body) + _BYTES_BESIDE_THE_BODY
