"""Plain bytes and counters in Redis, never pickled objects, and never a hanging request when Redis is gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

logger = logging.getLogger(__name__)
T = TypeVar("T")

_TIMEOUT_SECONDS = 0.25
_PAUSE_SECONDS = 1.0


class RedisUnavailable(Exception):
    """Redis did not answer, or did not answer a moment ago."""


class _Breaker:
    """After a failure, asks Redis again only when the pause is over."""

    def __init__(self) -> None:
        self.closed_until = 0.0

    def check(self) -> None:
        if time.monotonic() < self.closed_until:
            raise RedisUnavailable("Redis failed a moment ago")

    def trip(self, error: Exception) -> None:
        self.closed_until = time.monotonic() + _PAUSE_SECONDS
        logger.warning("Redis is not available (%s); answering without it", type(error).__name__)


_breakers: dict[str, _Breaker] = {}


@lru_cache(maxsize=8)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _with_redis(work: Callable[[redis.Redis], T]) -> T:
    breaker = _breakers.setdefault(settings.REDIS_URL, _Breaker())
    breaker.check()
    try:
        return work(_client(settings.REDIS_URL))
    except redis.ResponseError as error:
        # It answers, but not to this, such as for a value of another kind under the key: no reason to leave it alone.
        logger.warning("Redis refused a command (%s); going on without its answer", type(error).__name__)
        raise RedisUnavailable(str(type(error).__name__)) from error
    except (redis.RedisError, OSError) as error:
        breaker.trip(error)
        raise RedisUnavailable(str(type(error).__name__)) from error


def _name(key: str) -> str:
    return f"{settings.CACHES['default'].get('KEY_PREFIX', '')}:{key}"


def bytes_get(key: str) -> bytes | None:
    """The bytes stored under the key, or None.

    Raises:
        RedisUnavailable: Redis did not answer.
    """
    value = _with_redis(lambda client: client.get(_name(key)))
    return value if isinstance(value, bytes) else None


def bytes_set(key: str, value: bytes, seconds: int) -> None:
    """Store bytes for at most so many seconds.

    Raises:
        RedisUnavailable: Redis did not answer.
    """
    _with_redis(lambda client: client.set(_name(key), value, ex=seconds))


def bytes_delete(key: str) -> None:
    """Delete what is stored under the key.

    Raises:
        RedisUnavailable: Redis did not answer.
    """
    _with_redis(lambda client: client.unlink(_name(key)))


def bytes_delete_all(prefix: str) -> int:
    """Delete every key that starts with the prefix; returns how many there were.

    Raises:
        RedisUnavailable: Redis did not answer.
    """

    def work(client: redis.Redis) -> int:
        names = list(client.scan_iter(match=f"{_name(prefix)}*", count=1000))
        return sum(int(client.unlink(*names[start : start + 500])) for start in range(0, len(names), 500))

    return _with_redis(work)


# Raises every counter by its own number or none; the answer holds what each would be.
_COUNT_WITHIN = """
local wanted, fits = {}, true
for place, key in ipairs(KEYS) do
  wanted[place] = tonumber(redis.call('GET', key) or '0') + tonumber(ARGV[3 * place - 2])
  if wanted[place] > tonumber(ARGV[3 * place - 1]) then fits = false end
end
if fits then
  for place, key in ipairs(KEYS) do
    redis.call('SET', key, wanted[place], 'EX', ARGV[3 * place])
  end
end
return wanted
"""


@lru_cache(maxsize=8)
def _count_within(client: redis.Redis) -> Script:
    return client.register_script(_COUNT_WITHIN)


def count_up_within(
    names: Sequence[str], limits: Sequence[int], seconds: Sequence[int], *, by: Sequence[int]
) -> tuple[int, ...]:
    """Raise all counters atomically, each by its own number, where none would pass its limit; otherwise none. Returns
    what each would be.

    Raises:
        RedisUnavailable: Redis did not answer.
    """
    arguments = [value for row in zip(by, limits, seconds, strict=True) for value in row]

    def work(client: redis.Redis) -> tuple[int, ...]:
        counted = _count_within(client)(keys=[_name(name) for name in names], args=arguments)
        return tuple(int(count) for count in counted)

    return _with_redis(work)


def bytes_set_once(key: str, value: bytes, seconds: int) -> bytes | None:
    """Store bytes where nothing is stored under the key; otherwise leave them and return what is.

    Raises:
        RedisUnavailable: Redis did not answer.
    """
    stored = _with_redis(lambda client: client.set(_name(key), value, ex=seconds, nx=True, get=True))
    return stored if isinstance(stored, bytes) else None


_DELETE_IF = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def bytes_delete_if(key: str, value: bytes) -> None:
    """Delete the key where exactly these bytes are stored under it.

    Raises:
        RedisUnavailable: Redis did not answer.
    """
    _with_redis(lambda client: client.register_script(_DELETE_IF)(keys=[_name(key)], args=[value]))


def ping() -> None:
    """Ask Redis for a sign of life.

    Raises:
        RedisUnavailable: none came.
    """
    _with_redis(lambda client: client.ping())
