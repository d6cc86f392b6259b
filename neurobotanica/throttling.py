"""A fixed-window limit for each client, counted atomically in Redis.

The headers follow draft-ietf-httpapi-ratelimit-headers-10. When Redis is gone, each process counts for itself with a
tenth of the limit, so that no request goes uncounted.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from ethics.api.client_address import client_address
from ethics.api.verified_keys import VerifiedKey
from genomepath.redis_bytes import RedisUnavailable, count_up

if TYPE_CHECKING:
    # rest_framework.views loads this module while it is being imported itself.
    from rest_framework.views import APIView

WINDOW_SECONDS = 60
LOCAL_FRACTION = 10


class _LocalCounts:
    """Counts of this process in the current window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def count_up(self, identity: str, window: int) -> int:
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            self._counts[identity] = self._counts.get(identity, 0) + 1
            return self._counts[identity]


_local = _LocalCounts()


class ClientRateThrottle(BaseThrottle):
    """``API_REQUESTS_PER_MINUTE`` for each API client; callers without a key are counted by address."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        limit: int = settings.API_REQUESTS_PER_MINUTE
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        self._seconds_left = WINDOW_SECONDS - now % WINDOW_SECONDS
        identity = _identity(request)
        try:
            used = count_up(f"rate:{identity}:{window}", WINDOW_SECONDS * 2)
        except RedisUnavailable:
            limit = max(1, limit // LOCAL_FRACTION)
            used = _local.count_up(identity, window)
        request.rate_limit_headers = {  # type: ignore[attr-defined]  # read by the view when the answer is finished
            "RateLimit-Policy": f'"client";q={limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"client";r={max(0, limit - used)};t={max(1, round(self._seconds_left))}',
        }
        return used <= limit

    def wait(self) -> float:
        return self._seconds_left


def _identity(request: Request) -> str:
    if isinstance(request.auth, VerifiedKey):
        return f"key:{request.auth.prefix}"
    return f"address:{client_address(request._request)}"
