"""Keys that were verified, kept in memory under the client revision that held before they were read.

A request reads the revision from the database first. A key that was revoked, expired by hand, narrowed or whose client
was closed raised it in the same transaction, so that no request that starts after the commit finds the old entry.
"""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from ethics.models import ApiKey
from ethics.policy import Audience
from ethics.scopes import Scope

MOST_KEPT = 1024
USE_NOTED_EVERY = timedelta(minutes=5)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class VerifiedKey:
    """What a request may know of its key: whose it is, what it may ask, from where, how often."""

    prefix: str
    client_id: str
    organisation: str
    audience: Audience
    scopes: frozenset[Scope]
    networks: tuple[Network, ...]
    expires_at: datetime | None
    requests_per_minute: int | None
    requests_per_day: int | None

    def has_expired(self, now: datetime) -> bool:
        """Whether the moment lies at or behind the expiry."""
        return self.expires_at is not None and self.expires_at <= now

    def may_be_used_from(self, address: str) -> bool:
        """Whether the address lies in one of the allowed networks; a key without networks may be used from anywhere."""
        if not self.networks:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self.networks)


class _KeyCache:
    """The keys verified last, each with the client revision under which it was read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[int, VerifiedKey]] = OrderedDict()

    def get(self, digest: bytes, revision: int) -> VerifiedKey | None:
        with self._lock:
            kept = self._kept.get(digest)
            if kept is None or kept[0] != revision:
                return None
            self._kept.move_to_end(digest)
            return kept[1]

    def put(self, digest: bytes, revision: int, key: VerifiedKey) -> None:
        with self._lock:
            self._kept[digest] = (revision, key)
            self._kept.move_to_end(digest)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


_cache = _KeyCache()
_noted: OrderedDict[str, datetime] = OrderedDict()


def key_verify(text: str, *, client_revision: int) -> VerifiedKey | None:
    """The key that the text is, or None where there is none that was not revoked and whose client is active.

    The text itself is not kept, its SHA-256 is. Unknown texts are not remembered.

    Args:
        client_revision: read from the database in this request, before this call.
    """
    digest = hashlib.sha256(text.encode()).digest()
    found = _cache.get(digest, client_revision)
    if found is None:
        try:
            key = ApiKey.objects.get_from_key(text)
        except ApiKey.DoesNotExist:
            return None
        if not key.client.is_active:
            return None
        found = _verified(key)
        _cache.put(digest, client_revision, found)
    return found


def key_note_use(key: VerifiedKey, now: datetime) -> None:
    """Write when the key was last used, at most every five minutes, so that a request rarely pays for it."""
    noted = _noted.get(key.prefix)
    if noted is not None and now - noted < USE_NOTED_EVERY:
        return
    _noted[key.prefix] = now
    while len(_noted) > MOST_KEPT:
        _noted.popitem(last=False)
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    ApiKey.objects.filter(stale, prefix=key.prefix).update(last_used_at=now)


def _verified(key: ApiKey) -> VerifiedKey:
    return VerifiedKey(
        prefix=key.prefix,
        client_id=str(key.client.public_id),
        organisation=key.client.organisation,
        audience=Audience(key.client.audience),
        scopes=frozenset(Scope(scope) for scope in key.scopes),
        networks=tuple(ipaddress.ip_network(network) for network in key.allowed_networks),
        expires_at=key.expiry_date,
        requests_per_minute=key.requests_per_minute,
        requests_per_day=key.requests_per_day,
    )
