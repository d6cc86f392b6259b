"""From which address a request comes."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from ethics.api.verified_keys import Network


def client_address(request: HttpRequest) -> str:
    """The address of the caller.

    ``X-Forwarded-For`` counts only where the connection comes from one of ``TRUSTED_PROXIES``; then it is the last
    address in it that is not a trusted proxy itself, as everything before that is the caller's own word.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    proxies = _networks(tuple(settings.TRUSTED_PROXIES))
    if not proxies or not _is_in(address, proxies):
        return address
    for entry in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if not _is_address(entry.strip()):
            break
        address = entry.strip()
        if not _is_in(address, proxies):
            break
    return address


@lru_cache(maxsize=4)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)
