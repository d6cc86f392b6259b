"""One caller renders an answer that many ask for at once; the others wait a moment for it to be cached.

One that an edit of the catalogue has outdated is rendered anew by one caller, while the others get it as it is for a while.

The claim is a hint and no lock that anything depends on: whoever finds none, waits too long, or has no Redis, renders.
Callers come here once the policy has allowed what they ask for, so that no wait tells of what is withheld. What they render
stays in the cache only if ``is_current`` says so afterwards: meanwhile a withdrawal may have purged it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime

from genomepath.answer_cache import RenderedAnswer, answer_get, answer_put, answer_take_back
from genomepath.redis_bytes import RedisUnavailable, bytes_delete_if, bytes_get, bytes_set_once

CLAIM_SECONDS = 2
"""So long a claim outlives a caller that died while it rendered."""
LONGEST_WAIT_SECONDS = 0.25
_POLL_SECONDS = 0.005


def answer_render_once(
    key: str, render: Callable[[], RenderedAnswer | None], now: datetime, is_current: Callable[[], bool]
) -> RenderedAnswer | None:
    """The answer that another caller is rendering at this moment, or else what ``render`` gives, kept under the key."""
    claim, token = f"rendering:{key}", secrets.token_bytes(8)
    try:
        is_ours = bytes_set_once(claim, token, CLAIM_SECONDS) is None
        if not is_ours:
            found = _awaited(key, claim, now)
            if found is not None:
                return found
    except RedisUnavailable:
        is_ours = False
    try:
        answer = render()
        if answer is not None:
            _keep(key, answer, now, is_current)
        return answer
    finally:
        if is_ours:
            _give_back(claim, token)


def answer_renew(
    key: str,
    outdated: RenderedAnswer,
    render: Callable[[], RenderedAnswer | None],
    now: datetime,
    is_current: Callable[[], bool],
) -> RenderedAnswer:
    """What another caller has rendered under the key instead of the outdated answer, or else what ``render`` gives.

    It is the outdated one while another caller renders, where nothing may be rendered any more, and without Redis, which
    could not tell the others of a newer one.
    """
    try:
        found = answer_get(key, now)
        if found is not None:
            return found
        # Never given back: where nothing comes of it, the answer is left alone for a moment.
        if bytes_set_once(f"renewing:{key}", b"1", CLAIM_SECONDS) is not None:
            return outdated
    except RedisUnavailable:
        return outdated
    renewed = render()
    if renewed is None:
        return outdated
    _keep(key, renewed, now, is_current)
    return renewed


def _keep(key: str, answer: RenderedAnswer, now: datetime, is_current: Callable[[], bool]) -> None:
    """Store first and look afterwards: whatever purges the cache between the two, nothing outdated lies there in the end."""
    answer_put(key, answer, now)
    if not is_current():
        answer_take_back(key)


def _awaited(key: str, claim: str, now: datetime) -> RenderedAnswer | None:
    """The answer, as soon as it is there; None once nobody renders it, or after the longest wait."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        is_claimed = bytes_get(claim) is not None
        found = answer_get(key, now)
        if found is not None or not is_claimed:
            return found
    return None


def _give_back(claim: str, token: bytes) -> None:
    try:
        bytes_delete_if(claim, token)
    except RedisUnavailable:
        return
