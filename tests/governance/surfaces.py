"""Collects what leaves the platform as bytes by surface, and looks for canaries in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from genomepath.ethics_scan import scan_folders
from genomepath.text_search import TextSearch
from tests.governance.canaries import Canary

_READERS = {
    b"string": lambda store, key: [store.get(key)],
    b"list": lambda store, key: store.lrange(key, 0, -1),
    b"set": lambda store, key: store.smembers(key),
    b"zset": lambda store, key: store.zrange(key, 0, -1),
    b"hash": lambda store, key: [part for pair in store.hgetall(key).items() for part in pair],
    b"stream": lambda store, key: [str(entry).encode() for entry in store.xrange(key)],
}


def leaks(surfaces: Mapping[str, bytes], canaries: Mapping[str, Canary]) -> list[str]:
    """'surface: kind field' for each canary that a surface holds."""
    search = TextSearch(canaries)
    return sorted(
        f"{surface}: {canaries[text].kind} {canaries[text].field}"
        for surface, content in surfaces.items()
        for text in search.found_in(content)
    )


def leaks_in_folders(folders: Iterable[Path], canaries: Mapping[str, Canary]) -> list[str]:
    """The same for the files below folders."""
    wanted = {text: f"{canary.kind} {canary.field}" for text, canary in canaries.items()}
    return [f"{finding.path}: {finding.item_public_id}" for finding in scan_folders(folders, wanted)]


def response_bytes(response: Any) -> bytes:
    """Status, headers, cookies and body of an answer."""
    head = f"{response.status_code} {response.reason_phrase}\n" + "\n".join(f"{k}: {v}" for k, v in response.items())
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{head}\n{response.cookies.output()}\n\n".encode() + body


def cache_surfaces() -> dict[str, bytes]:
    """Every key of this test in Valkey, and all that waits for workers: names and values."""
    store = redis.Redis.from_url(settings.REDIS_URL)
    patterns = (f"*{settings.CACHES['default']['KEY_PREFIX']}*", "neurobotanica:celery:*")
    found = {}
    for key in {key for pattern in patterns for key in store.scan_iter(pattern, count=1000)}:
        kind = store.type(key)
        if kind in _READERS:
            parts = [part for part in _READERS[kind](store, key) if part is not None]
            found[f"cache {key.decode(errors='replace')}"] = b"\n".join([key, *parts])
    return found
