"""Rendered answers in Redis. A dead cache costs time; a poisoned one is not believed.

Every value carries an HMAC over its key and content, so that bytes written by anybody else, or moved from another key,
are a miss. Nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache

import orjson
from django.conf import settings
from django.utils.crypto import salted_hmac

from genomepath.redis_bytes import RedisUnavailable, bytes_delete, bytes_delete_all, bytes_get, bytes_set

_PREFIX = "answer:"
_TAG_BYTES = 32
_LENGTH_BYTES = 4


@dataclass(frozen=True)
class RenderedAnswer:
    """The bytes that go out, and what the audit event of this answer needs.

    ``valid_until`` is the next moment at which a consent starts or ends or the catalogue may have changed: the answer may
    not be served from then on.
    """

    body: bytes
    etag: str
    item_ids: list[str]
    communities: list[str]
    count: int
    valid_until: str

    def holds_at(self, now: datetime) -> bool:
        """Whether no consent has started or ended since the answer was rendered, and it is not too old."""
        return now < datetime.fromisoformat(self.valid_until)


def answer_key(*parts: str) -> str:
    """A fixed-length key; the parts are hashed with their lengths, so that no two lists of parts collide."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return f"{_PREFIX}{hashlib.sha256(text.encode()).hexdigest()}"


def answer_get(key: str, now: datetime) -> RenderedAnswer | None:
    """The stored answer, or None when there is none that is genuine and still holds."""
    try:
        stored = bytes_get(key)
    except RedisUnavailable:
        return None
    if stored is None or not hmac.compare_digest(stored[:_TAG_BYTES], _tag(key, stored[_TAG_BYTES:])):
        return None
    start = _TAG_BYTES + _LENGTH_BYTES
    end = start + int.from_bytes(stored[_TAG_BYTES:start], "big")
    answer = RenderedAnswer(body=stored[end:], **orjson.loads(stored[start:end]))
    return answer if answer.holds_at(now) else None


def answer_put(key: str, answer: RenderedAnswer, now: datetime) -> None:
    """Keep the answer as long as it holds. Without Redis nothing is kept."""
    seconds = int((datetime.fromisoformat(answer.valid_until) - now).total_seconds())
    if seconds < 1:
        return
    head = orjson.dumps({name: value for name, value in asdict(answer).items() if name != "body"})
    content = len(head).to_bytes(_LENGTH_BYTES, "big") + head + answer.body
    try:
        bytes_set(key, _tag(key, content) + content, seconds)
    except RedisUnavailable:
        return


def answer_take_back(key: str) -> None:
    """Delete the stored answer, if Redis answers."""
    try:
        bytes_delete(key)
    except RedisUnavailable:
        return


def answers_purge() -> int:
    """Delete every stored answer, of whatever revision; returns how many there were.

    Raises:
        RedisUnavailable: Redis did not answer, so that nothing may be said of what it holds.
    """
    return bytes_delete_all(_PREFIX)


def _tag(key: str, content: bytes) -> bytes:
    return hmac.digest(_tag_key(settings.SECRET_KEY), key.encode() + b"\x00" + content, "sha256")


@lru_cache(maxsize=4)
def _tag_key(secret: str) -> bytes:
    """The key of the tags, derived from the site's secret."""
    return salted_hmac("genomepath.answer_cache", b"key of the tags", secret=secret, algorithm="sha256").digest()
