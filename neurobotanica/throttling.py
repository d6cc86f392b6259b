"""Limits of a key: a burst, a minute and a day, counted atomically in Redis.

The further questions of a batch count against the minute and the day alone: a burst is narrower than the largest batch.
The headers follow draft-ietf-httpapi-ratelimit-headers-10. When Redis is gone, each process counts for itself with a
tenth of the limits, so that no request goes uncounted. Callers without a good key are counted by address.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from ethics.api.client_address import client_address
from ethics.api.verified_keys import VerifiedKey
from genomepath.redis_bytes import RedisUnavailable, count_up_within

if TYPE_CHECKING:
    # rest_framework.views loads this module while it is being imported itself.
    from rest_framework.views import APIView

SECOND, MINUTE, DAY = 1, 60, 86_400
LOCAL_FRACTION = 10
SMALLEST_BURST = 20
BURST_FRACTION = 10
"""Within one second a key may make a tenth of the requests of a minute, and at least ``SMALLEST_BURST``."""
_STRANGERS = "address:all"


@dataclass(frozen=True)
class Quota:
    """So many requests in each window of so many seconds; windows begin at multiples of their length."""

    name: str
    limit: int
    window: int

    def stricter(self) -> Quota:
        """What holds in one process while Redis is gone. A burst stays: the minute that it eats is strict enough."""
        return self if self.window == SECOND else Quota(self.name, max(1, self.limit // LOCAL_FRACTION), self.window)

    def cost_of(self, further_items: int) -> int:
        """What counts: a request, or further items of one that was counted before, which are no burst of requests."""
        if not further_items:
            return 1
        return 0 if self.window == SECOND else further_items

    def seconds_left(self, now: float) -> float:
        """Until the window ends."""
        return self.window - now % self.window

    def counter(self, identity: str, now: float) -> str:
        """The name of the counter of this window."""
        return f"rate:{identity}:{self.name}:{int(now // self.window)}"


class _LocalCounts:
    """Counts of this process. The minute that ends forgets them all, which bounds the memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count_up_within(
        self, names: Sequence[str], limits: Sequence[int], by: Sequence[int], now: float
    ) -> tuple[int, ...]:
        """As ``redis_bytes.count_up_within``."""
        with self._lock:
            if int(now // MINUTE) != self._minute:
                self._minute, self._counts = int(now // MINUTE), {}
            wanted = tuple(self._counts.get(name, 0) + cost for name, cost in zip(names, by, strict=True))
            if all(count <= limit for count, limit in zip(wanted, limits, strict=True)):
                self._counts.update(zip(names, wanted, strict=True))
            return wanted


_local = _LocalCounts()


class KeyRateThrottle(BaseThrottle):
    """The limits of the key, or of the address where there is no good key. A refused request is not counted."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        further_items = int(getattr(request, "rate_limit_further_items", 0))
        quotas, used, now = _count(request, further_items)
        request.rate_limit_headers = _headers(quotas, used, now)  # type: ignore[attr-defined]  # read by the view
        exceeded = [quota for quota, count in zip(quotas, used, strict=True) if count > quota.limit]
        self._wait = max((quota.seconds_left(now) for quota in exceeded), default=0.0)
        return not exceeded

    def wait(self) -> float:
        return self._wait


def _count(request: Request, further_items: int) -> tuple[tuple[Quota, ...], tuple[int, ...], float]:
    """The quotas that hold, what would be used of each with this request or its further items, and the moment."""
    now = time.time()
    key = request.auth
    if isinstance(key, VerifiedKey):
        identity, quotas = f"key:{key.prefix}", _quotas_of(key)
    else:
        identity = f"address:{client_address(request._request)}"
        quotas = (Quota("address", settings.ANONYMOUS_REQUESTS_PER_MINUTE, MINUTE),)
    costs = [quota.cost_of(further_items) for quota in quotas]
    try:
        used = count_up_within(
            [quota.counter(identity, now) for quota in quotas],
            [quota.limit for quota in quotas],
            [quota.window * 2 for quota in quotas],
            by=costs,
        )
    except RedisUnavailable:
        quotas = tuple(quota.stricter() for quota in quotas)
        # Strangers share one count: the memory of a process must not follow the number of addresses.
        names = [quota.counter(identity if isinstance(key, VerifiedKey) else _STRANGERS, now) for quota in quotas]
        used = _local.count_up_within(names, [quota.limit for quota in quotas], costs, now)
    return quotas, used, now


def _quotas_of(key: VerifiedKey) -> tuple[Quota, ...]:
    minute = key.requests_per_minute or settings.API_REQUESTS_PER_MINUTE
    return (
        Quota("burst", max(SMALLEST_BURST, minute // BURST_FRACTION), SECOND),
        Quota("minute", minute, MINUTE),
        Quota("day", key.requests_per_day or settings.API_REQUESTS_PER_DAY, DAY),
    )


def _headers(quotas: Sequence[Quota], used: Sequence[int], now: float) -> dict[str, str]:
    """``q`` requests in ``w`` seconds; ``r`` are left for the next ``t`` seconds."""
    return {
        "RateLimit-Policy": ", ".join(f'"{quota.name}";q={quota.limit};w={quota.window}' for quota in quotas),
        "RateLimit": ", ".join(
            f'"{quota.name}";r={max(0, quota.limit - count)};t={max(1, round(quota.seconds_left(now)))}'
            for quota, count in zip(quotas, used, strict=True)
        ),
    }
