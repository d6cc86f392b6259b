"""Rendered answers that a process remembers, in front of Redis: nothing is asked for and no tag is checked.

It holds answers of one generation alone (the policy revision and model in service that a request has just read), so that the
first request after a withdrawal or a promotion empties it. What it holds is as old as Redis would let it become.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from threading import Lock

from genomepath.answer_cache import RenderedAnswer

MOST_BYTES = 4 * 2**20
_BYTES_BESIDE_THE_BODY = 1024
"""About what Python keeps of an answer's names and ids."""


class AnswerMemory:
    """The answers asked for last, up to so many bytes; safe to share between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._generation: Hashable = None
        self._answers: OrderedDict[Hashable, RenderedAnswer] = OrderedDict()
        self._bytes = 0

    def get(self, generation: Hashable, key: Hashable, now: datetime) -> RenderedAnswer | None:
        """The answer kept under the key, if it still holds. Answers of another generation are forgotten."""
        with self._lock:
            self._enter(generation)
            answer = self._answers.get(key)
            if answer is None:
                return None
            if not answer.holds_at(now):
                self._forget(key)
                return None
            self._answers.move_to_end(key)
            return answer

    def put(self, generation: Hashable, key: Hashable, answer: RenderedAnswer) -> None:
        """Keep the answer, unless its generation has passed meanwhile; those asked for longest ago make room."""
        if _size(answer) > self._most_bytes:
            return
        with self._lock:
            if generation != self._generation:
                return
            self._forget(key)
            self._answers[key] = answer
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
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _size(answer)


def _size(answer: RenderedAnswer) -> int:
    return len(answer.body) + _BYTES_BESIDE_THE_BODY
